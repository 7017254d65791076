// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Database;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.util.Map;
import java.util.concurrent.FutureTask;
import javax.sql.DataSource;
import liquibase.exception.LockException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code list-locks} and {@code release-locks}. */
@Proves(Capability.CHANGELOG_LOCK)
class ChangelogLockCommandsTest extends ChangelogLockScene {

    private static final String STUCK = "insert into databasechangeloglock (id, locked, lockgranted, lockedby)"
            + " values (1, true, '2026-01-02 03:04:05', 'web-1 (10.0.0.7)')"
            + " on conflict (id) do update set locked = true, lockgranted = excluded.lockgranted, lockedby = excluded.lockedby";

    ChangelogLockCommandsTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    @BeforeEach
    void beginWithTables() throws Exception {
        changelog("select 1;");
        update(lock("advisory"));
    }

    private String listLocks(Map<String, String> settings) throws Exception {
        return with(dataSource, settings, database -> output("listLocks", database));
    }

    private String releaseLocks(Map<String, String> settings) throws Exception {
        return with(dataSource, settings, database -> output("releaseLocks", database));
    }

    /** A Liquibase that is inside the changelog until {@code gate} commits. */
    private FutureTask<Boolean> inside(Session gate, String mode) {
        gate.begin();
        gate.execute("lock table gate");
        changelog("select 1;", BEHIND_THE_GATE);
        FutureTask<Boolean> holder = updating("the holder", lock(mode));
        awaitInside("the holder");
        return holder;
    }

    private String holder() {
        return value("select pid from pg_stat_activity where application_name = 'the holder'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"advisory", "both"})
    void nobodyIsListedWhereNobodyHoldsIt(String mode) throws Exception {
        assertThat(listLocks(lock(mode))).contains("No locks");
    }

    @ParameterizedTest
    @ValueSource(strings = {"advisory", "both"})
    void theHolderIsListedWithPidAndApplication(String mode) throws Exception {
        Session gate = scenario.session("gate");
        FutureTask<Boolean> holder = inside(gate, mode);

        assertThat(listLocks(lock(mode)))
                .containsOnlyOnce(" at ")
                .contains(" - pid " + holder() + " (the holder, active for ")
                .contains("from ");

        gate.commit();
        await(holder);
        assertThat(listLocks(lock(mode))).contains("No locks");
    }

    @Test
    void theOwnSessionIsListedToo() throws Exception {
        with(dataSource, lock("advisory"), database -> {
            lockOf(database).waitForLock();
            assertThat(lockOf(database).listLocks())
                    .satisfiesExactly(lock -> assertThat(lock.getLockedBy()).isEqualTo("this session"));
            lockOf(database).forceReleaseLock();
            assertThat(lockOf(database).listLocks()).isEmpty();
            return true;
        });
    }

    /** As it is with one of the peers, which looks for the key in all of the cluster. */
    @Test
    void theHolderInAnotherDatabaseIsNotListedAndNotInTheWay() throws Exception {
        try (Database other = database().server().createDatabase()) {
            with(other.dataSource(), lock("advisory"), there -> {
                lockOf(there).waitForLock();
                assertThat(listLocks(lock("advisory"))).contains("No locks");
                releaseLocks(lock("advisory"));
                boolean acquired = with(dataSource, lock("advisory"), here -> {
                    boolean free = lockOf(here).acquireLock();
                    lockOf(here).releaseLock();
                    return free;
                });
                assertThat(acquired).isTrue();
                lockOf(there).releaseLock();
                return true;
            });
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"advisory", "both"})
    void releasingWhatNobodyHoldsIsNoFailure(String mode) throws Exception {
        releaseLocks(lock(mode));

        assertThat(listLocks(lock(mode))).contains("No locks");
    }

    @ParameterizedTest
    @ValueSource(strings = {"advisory", "both"})
    void releasingTheLockOfALiveSessionSaysHowToEndItAndLeavesItAlone(String mode) throws Exception {
        Session gate = scenario.session("gate");
        FutureTask<Boolean> holder = inside(gate, mode);
        String pid = holder();

        assertThatThrownBy(() -> releaseLocks(lock(mode)))
                .hasRootCauseInstanceOf(LockException.class)
                .rootCause()
                .hasMessageContaining(
                        "belongs to a session, and only that can release it: pid " + pid + " (the holder, ")
                .hasMessageEndingWith("select pg_terminate_backend(" + pid + ")");

        assertThat(holder()).isEqualTo(pid);
        gate.commit();
        await(holder);
        assertThat(applied()).isEqualTo("1 2");
    }

    @Test
    void withBothTheRowOfADeadLiquibaseWithoutPglockIsListedAndReleased() throws Exception {
        update(lock("both"));
        scenario.session("dead").execute(STUCK);

        assertThat(listLocks(lock("both"))).contains(" - web-1 (10.0.0.7) at ");
        releaseLocks(lock("both"));

        assertThat(value("select locked from databasechangeloglock")).isEqualTo("f");
        assertThat(listLocks(lock("both"))).contains("No locks");
    }

    @Test
    void withBothTheRowOfADeadOneIsListedAsThatAndReleased() throws Exception {
        update(lock("both"));
        scenario.session("dead").execute(STUCK.replace("'web-1", "'" + MARK + "pid 4711 on web-1"));

        assertThat(listLocks(lock("both")))
                .contains(" - " + MARK
                        + "pid 4711 on web-1 (10.0.0.7), whose session is gone: the next run takes over at ");
        releaseLocks(lock("both"));

        assertThat(value("select locked from databasechangeloglock")).isEqualTo("f");
    }

    @Test
    void withBothTheRowIsReleasedThoughAnotherOneIsWaitingForIt() throws Exception {
        with(dataSource, lock("both"), database -> {
            lockOf(database).init();
            return true;
        });
        scenario.session("dead").execute(STUCK);
        changelog("select 1;", "insert into inside values ('two');");
        FutureTask<Boolean> two = updating("two", lock("both"));
        awaitWaiting("two");

        releaseLocks(lock("both"));

        await(two);
        assertThat(applied()).isEqualTo("1 2");
    }

    @Test
    void withAdvisoryALockTableThatIsThereIsNeitherListedNorTouched() throws Exception {
        with(dataSource, lock("table"), database -> {
            lockOf(database).init();
            return true;
        });
        scenario.session("dead").execute(STUCK);

        assertThat(listLocks(lock("advisory"))).contains("No locks");
        releaseLocks(lock("advisory"));
        changelog("select 1;", "insert into inside values ('two');");
        update(lock("advisory"));

        assertThat(applied()).isEqualTo("1 2");
        assertThat(value("select locked || ' ' || lockedby from databasechangeloglock"))
                .isEqualTo("true web-1 (10.0.0.7)");
    }
}
