// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Liquibases in processes of their own: of different versions, and some that are killed. */
@Proves(Capability.CHANGELOG_LOCK)
class ChangelogLockProcessesTest extends ChangelogLockScene {

    private static final int ROUNDS = 12;

    /** Run every time; who is inside together with somebody else shows afterwards. */
    private static final String VISIT = """
            insert into visit values (txid_current(), current_setting('application_name'), clock_timestamp());
            select pg_sleep(0.05);
            update visit set left_at = clock_timestamp() where id = txid_current();
            """;

    ChangelogLockProcessesTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    private LiquibaseProcess start(String name, String version, String mode, String what, int times) throws Exception {
        return LiquibaseProcess.start(
                name, version, List.of(), folder, database(), mode, what, Integer.toString(times));
    }

    @ParameterizedTest
    @ValueSource(strings = {"advisory", "both"})
    void twoVersionsAreNeverInsideTogether(String mode) throws Exception {
        Session here = scenario.session("here");
        here.execute("drop table if exists visit");
        here.execute("create table visit (id bigint, who text, entered_at timestamptz, left_at timestamptz)");
        write("changelog.sql", "--liquibase formatted sql\n--changeset test:1 runAlways:true\n" + VISIT);
        try (LiquibaseProcess first =
                start("first", "this", mode, "update", 1)) { // two that make the tables collide, with any lock
            first.awaitSuccess();
        }

        try (LiquibaseProcess older = start("older", "older", mode, "update", ROUNDS);
                LiquibaseProcess newer = start("newer", "newer", mode, "update", ROUNDS)) {
            assertThat(older.awaitSuccess()).contains("version: 4.").doesNotContainIgnoringCase("could not release");
            assertThat(newer.awaitSuccess()).contains("version: 5.").doesNotContainIgnoringCase("could not release");
        }

        assertThat(value("select string_agg(who || ' ' || visits, ', ' order by who) from"
                        + " (select who, count(*) as visits from visit group by who) as by_who"))
                .isEqualTo("first 1, newer " + ROUNDS + ", older " + ROUNDS);
        assertThat(value("select count(*) from visit as a join visit as b on a.id <> b.id"
                        + " and a.entered_at < b.left_at and b.entered_at < a.left_at"))
                .isEqualTo("0");
        assertThat(value("select count(*) from visit as a join visit as b on a.who <> b.who where b.entered_at ="
                        + " (select min(entered_at) from visit as c where c.entered_at > a.entered_at)"))
                .as("changes from one to the other")
                .satisfies(changes -> assertThat(Integer.parseInt(changes)).isGreaterThan(1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"advisory", "both"})
    void whoIsKilledWhileItIdlesIsInNobodysWay(String mode) throws Exception {
        changelog("select 1;");
        update(lock(mode));
        try (LiquibaseProcess killed = start("killed", "this", mode, "hold", 1)) {
            awaitHolder(killed);
            killed.kill();
        }

        assertInWithin(Duration.ofSeconds(3), mode);
    }

    /** PostgreSQL notices that the client is gone when the wait is over. */
    @ParameterizedTest
    @ValueSource(strings = {"advisory", "both"})
    void whoIsKilledWhileItWaitsForATableIsInNobodysWayAfterItsLockTimeout(String mode) throws Exception {
        changelog("select 1;");
        update(lock(mode));
        Session gate = scenario.session("gate");
        gate.begin();
        gate.execute("lock table gate");
        changelog("select 1;", "set local lock_timeout = '3s'; " + BEHIND_THE_GATE);
        try (LiquibaseProcess killed = start("killed", "this", mode, "update", 1)) {
            scenario.await("killed to be inside", () -> isInside("killed") || !killed.isAlive());
            killed.kill();
        }

        changelog("select 1;", "insert into inside values ('in');");
        assertInWithin(Duration.ofSeconds(6), mode);
        gate.commit();
    }

    /** From PostgreSQL 14 on it looks every second, while somebody holds the lock. */
    @Test
    void whoIsKilledWhileItWaitsForATableWithoutTimeoutIsInNobodysWaySoon() throws Exception {
        PostgresServer.shared().assumeAtLeast(14);
        changelog("select 1;");
        update(lock("advisory"));
        Session gate = scenario.session("gate");
        gate.begin();
        gate.execute("lock table gate");
        changelog("select 1;", "set local lock_timeout = 0; " + BEHIND_THE_GATE);
        try (LiquibaseProcess killed = start("killed", "this", "advisory", "update", 1)) {
            scenario.await("killed to be inside", () -> isInside("killed") || !killed.isAlive());
            killed.kill();
        }

        changelog("select 1;", "insert into inside values ('in');");
        assertInWithin(Duration.ofSeconds(4), "advisory");
        gate.commit();
    }

    private void assertInWithin(Duration longest, String mode) throws Exception {
        long begin = System.nanoTime();
        with(dataSource, lock(mode), database -> {
            lockOf(database).waitForLock();
            lockOf(database).releaseLock();
            return true;
        });
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(longest);
        assertThat(update(lock(mode))).isTrue();
    }

    private boolean isInside(String name) {
        return !value("select count(*) from pg_locks join pg_stat_activity using (pid) where not granted"
                        + " and relation = 'gate'::regclass and application_name = '" + name + "'")
                .equals("0");
    }

    private void awaitHolder(LiquibaseProcess process) {
        scenario.await(
                process.name() + " to hold the lock",
                () -> !process.isAlive()
                        || value("select count(*) from pg_locks join pg_stat_activity using (pid) where"
                                        + " locktype = 'advisory' and state like 'idle%' and application_name = '"
                                        + process.name() + "'")
                                .equals("1"));
    }

    /** Whose lock is taken wherever PostgreSQL is, without a setting; ours is asked for. */
    @ParameterizedTest
    @CsvSource({
        "advisory, io.pglock.liquibase.internal.AdvisoryLockService",
        "both, io.pglock.liquibase.internal.AdvisoryLockService",
        "table, com.github.blagerweij.sessionlock.PGLockService"
    })
    void theSettingCountsMoreThanSessionlockOnTheClassPath(String mode, String service) throws Exception {
        try (LiquibaseProcess process = LiquibaseProcess.start(
                "which", "this", List.of("sessionlock"), folder, database(), mode, "which", "1")) {
            assertThat(process.awaitSuccess()).containsPattern("(?m)^service: " + Pattern.quote(service) + "$");
        }
    }
}
