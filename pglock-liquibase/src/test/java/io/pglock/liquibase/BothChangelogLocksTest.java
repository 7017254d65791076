// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import javax.sql.DataSource;
import liquibase.exception.LockException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code changelogLock=both}: for a fleet of which a part does not have pglock yet. */
@Proves(Capability.CHANGELOG_LOCK)
class BothChangelogLocksTest extends ChangelogLockScene {

    private static final Map<String, String> BOTH = lock("both");

    BothChangelogLocksTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    @BeforeEach
    void beginWithTables() throws Exception {
        changelog("select 1;");
        update(BOTH);
        changelog("select 1;", BEHIND_THE_GATE);
    }

    private String row() {
        return value("select concat_ws(' ', locked, lockedby) from databasechangeloglock");
    }

    private void lockRowAs(String name) {
        scenario.session("other")
                .execute("update databasechangeloglock set locked = true, lockgranted = now(), lockedby = '" + name
                        + "'");
    }

    @Test
    void theRowIsMarkedWhileItIsHeldAndFreeAfter() throws Exception {
        Session gate = scenario.session("gate");
        gate.begin();
        gate.execute("lock table gate");
        FutureTask<Boolean> one = updating("one", BOTH);
        awaitInside("one");

        assertThat(row()).matches("t " + MARK + "pid " + ProcessHandle.current().pid() + " on .+ \\(.+\\)");

        gate.commit();
        await(one);
        assertThat(row()).isEqualTo("f");
        assertThat(value(ADVISORY_LOCKS)).isEqualTo("0");
    }

    /** The advisory lock is free: whoever has marked the row is dead. */
    @Test
    void theRowOfADeadOneIsTakenOverAndThatIsSaid() throws Exception {
        lockRowAs(MARK + "pid 4711 on web-1 (10.0.0.7)");

        String said = console(() -> update(BOTH));

        assertThat(said)
                .containsOnlyOnce("WARNING: pglock: taken over the row of")
                .contains("databasechangeloglock, left behind by " + MARK + "pid 4711 on web-1 (10.0.0.7) since ");
        assertThat(applied()).isEqualTo("1 2");
        assertThat(row()).isEqualTo("f");
    }

    /** It has an advisory lock of its own: that this one is free says nothing. */
    @Test
    void theRowOfAnotherChangelogThatHasTheSameLockTableIsWaitedFor() throws Exception {
        Map<String, String> others = Map.of(
                "pglock.changelogLock", "both",
                "databaseChangelogTableName", "otherlog",
                "changelogLockWaitTimeInMinutes", "0");
        Session gate = scenario.session("gate");
        gate.begin();
        gate.execute("lock table gate");
        FutureTask<Boolean> one = updating("one", BOTH);
        awaitInside("one");
        String pid = value("select pid from pg_stat_activity where application_name = 'one'");

        with(dataSource, others, database -> {
            assertThatThrownBy(() -> lockOf(database).waitForLock())
                    .isInstanceOf(LockException.class)
                    .hasMessageStartingWith("Could not acquire change log lock.  Currently locked by " + MARK + "pid ");
            assertThat(lockOf(database).listLocks())
                    .singleElement()
                    .satisfies(lock ->
                            assertThat(lock.getLockedBy()).startsWith(MARK).doesNotContain("gone"));
            assertThatThrownBy(() -> lockOf(database).forceReleaseLock())
                    .isInstanceOf(LockException.class)
                    .hasMessageContaining("belongs to a session, and only that can release it: pid " + pid);
            return true;
        });
        assertThat(row()).startsWith("t " + MARK);

        gate.commit();
        await(one);
        boolean free = with(dataSource, others, database -> {
            lockOf(database).waitForLock();
            lockOf(database).releaseLock();
            lockRowAs(MARK + "pid 4711 on web-1 (10.0.0.7)"); // dead
            lockOf(database).forceReleaseLock();
            return lockOf(database).listLocks().length == 0;
        });
        assertThat(free).isTrue();
    }

    /** It may be alive: no advisory lock would show. */
    @Test
    void theRowOfALiquibaseWithoutPglockIsWaitedForAndItIsNamed() throws Exception {
        lockRowAs("web-1 (10.0.0.7)");

        assertThatThrownBy(() -> update(lock("both", "changelogLockWaitTimeInMinutes", "0")))
                .hasRootCauseInstanceOf(LockException.class)
                .rootCause()
                .hasMessageStartingWith(
                        "Could not acquire change log lock.  Currently locked by web-1 (10.0.0.7) since ");
        assertThat(value(ADVISORY_LOCKS)).isEqualTo("0");
        FutureTask<Boolean> waiting = updating("waiting", BOTH);
        awaitWaiting("waiting");
        assertThat(row()).isEqualTo("t web-1 (10.0.0.7)");

        scenario.session("other").execute("update databasechangeloglock set locked = false, lockedby = null");

        await(waiting);
        assertThat(applied()).isEqualTo("1 2");
    }

    /** As by another Liquibase that locks it, in a transaction that takes its time. */
    @Test
    void theRowThatSomebodyIsAboutToChangeIsWaitedFor() throws Exception {
        Session other = scenario.session("other");
        other.begin();
        other.execute("select * from databasechangeloglock for update");
        FutureTask<Boolean> waiting = updating("waiting", BOTH);
        String waits =
                "select count(*) from pg_stat_activity where application_name = 'waiting' and wait_event_type = 'Lock'";
        for (String count : List.of("1", "0", "1")) { // again, after it has given up
            scenario.await(count + " to wait for the row", () -> value(waits).equals(count) || waiting.isDone());
        }
        other.rollback();

        await(waiting);
        assertThat(applied()).isEqualTo("1 2");
    }

    @ParameterizedTest
    @CsvSource({"both, both", "both, advisory", "advisory, both", "table, both", "both, table"})
    void excludesWhoeverHasOneOfTheTwo(String first, String second) throws Exception {
        Session gate = scenario.session("gate");
        gate.begin();
        gate.execute("lock table gate");
        FutureTask<Boolean> one = updating("one", lock(first));
        awaitInside("one");

        assertThatThrownBy(() -> with(dataSource, lock(second, "changelogLockWaitTimeInMinutes", "0"), database -> {
                    // Liquibase's own tries twice, and pauses in between
                    lockOf(database).setChangeLogLockRecheckTime(0);
                    lockOf(database).waitForLock();
                    return true;
                }))
                .isInstanceOf(LockException.class)
                .hasMessageStartingWith("Could not acquire change log lock.  Currently locked by ");

        gate.commit();
        await(one);
        assertThat(applied()).isEqualTo("1 2");
    }

    @Test
    void itIsToldWhenSomebodyHasReleasedTheRowMeanwhile() throws Exception {
        with(dataSource, BOTH, database -> {
            lockOf(database).waitForLock();
            scenario.session("other").execute("update databasechangeloglock set locked = false, lockedby = null");
            lockRowAs("web-1 (10.0.0.7)");

            assertThatThrownBy(() -> lockOf(database).releaseLock())
                    .isInstanceOf(LockException.class)
                    .hasMessageContaining("this run may not have been alone");
            return true;
        });
        assertThat(row()).isEqualTo("t web-1 (10.0.0.7)");
        assertThat(value(ADVISORY_LOCKS)).isEqualTo("0");
    }

    @Test
    void withAdvisoryALockedRowIsNoObstacleButIsSaid() throws Exception {
        lockRowAs("web-1 (10.0.0.7)");

        String said = console(() -> update(lock("advisory")));

        assertThat(said)
                .containsOnlyOnce("databasechangeloglock says that web-1 (10.0.0.7) since ")
                .contains("With changelogLock=advisory that does not count");
        assertThat(applied()).isEqualTo("1 2");
        assertThat(row()).isEqualTo("t web-1 (10.0.0.7)");
    }

    @Test
    void withAdvisoryTheRowOfADeadOneWithBothIsNoMatter() throws Exception {
        lockRowAs(MARK + "pid 4711 on web-1 (10.0.0.7)");

        assertThat(console(() -> update(lock("advisory")))).doesNotContain("WARNING: pglock");
    }

    @Test
    void withAdvisoryALockTableThatCannotBeReadIsNoMatter() throws Exception {
        scenario.session("other").begin();
        scenario.session("other").execute("lock table databasechangeloglock");

        update(lock("advisory"));

        assertThat(applied()).isEqualTo("1 2");
        scenario.session("other").rollback();
    }
}
