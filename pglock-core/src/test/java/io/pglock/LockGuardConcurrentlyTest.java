// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.pglock.testkit.Call;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.Role;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a failed build leaves behind is named, dropped before another attempt, and never somebody else's. */
@Timeout(60)
class LockGuardConcurrentlyTest extends GuardScene {

    private final PostgresServer server;

    LockGuardConcurrentlyTest(Scenario scenario, DataSource side, PostgresServer server) {
        super(scenario, side);
        this.server = server;
    }

    private static LockPolicy building() {
        return patient().lockTimeout(Duration.ofSeconds(30)).concurrentLockTimeout(Duration.ofSeconds(1));
    }

    /** Whose writing a build has to wait for after it has put its index into the catalog. */
    private Session writing() {
        return inTransaction("web", "insert into orders values (1)");
    }

    private List<String> indexes(boolean valid) throws SQLException {
        return Held.column(
                scenario.observer(),
                "select indexrelid::regclass from pg_index where indrelid = 'orders'::regclass and indisvalid = "
                        + valid + " order by 1");
    }

    private void leaveInvalid(String sql) throws SQLException {
        Session web = writing();
        try (Connection other = side.getConnection()) {
            execute(other, "set lock_timeout = '100ms'");
            assertThatThrownBy(() -> execute(other, sql)).isInstanceOf(SQLException.class);
        }
        web.rollback();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "create index concurrently by_id on orders (id)",
                "create index concurrently on public.orders (id)",
                "create unique index concurrently \"By \"\"Id\"\"\" on orders (id)",
            })
    void theInvalidIndexIsDroppedAndBuiltAgain(String sql) throws SQLException {
        Session web = writing();
        Call<String> unit = alone(building(), sql);

        awaitPause();
        assertThat(indexes(false)).hasSize(1);
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
        assertThat(indexes(false)).isEmpty();
        assertThat(indexes(true)).hasSize(1);
        assertThat(said)
                .anySatisfy(line -> assertThat(line)
                        .startsWith("WARNING V7__note.sql: the failed attempt left public.")
                        .endsWith(" invalid; dropped, to be built again."))
                .anySatisfy(line -> assertThat(line).contains("not locked within 1s, blocked by pid " + web.pid()));
    }

    @Test
    void theInvalidIndexIsNamedWhenItGivesUp() throws SQLException {
        Session web = writing();

        assertThat(alone(building().retryAttempts(1), "create index concurrently \"By Id\" on orders (id)")
                        .await())
                .startsWith("55P03 V7__note.sql: not locked within 1s, blocked by pid " + web.pid())
                .endsWith(" Left behind, invalid: public.\"By Id\". Before the next try: DROP INDEX CONCURRENTLY"
                        + " public.\"By Id\".");

        web.rollback();
        assertThat(indexes(false)).containsExactly("\"By Id\"");
    }

    /** Whoever reads the table keeps the second of its two transactions waiting. */
    @Test
    void thePartitionThatIsHalfDetachedIsNamedWithItsRemedy() throws SQLException {
        server.assumeAtLeast(14);
        execute(scenario.observer(), "create table \"Days\" (day int) partition by range (day)");
        execute(scenario.observer(), "create table day_1 partition of \"Days\" for values from (1) to (2)");
        Session report = inTransaction("report", "select * from \"Days\"");

        assertThat(alone(
                                building().retryAttempts(1),
                                "alter table /* old */ \"Days\" detach partition day_1 concurrently")
                        .await())
                .startsWith("55P03 V7__note.sql: not locked within 1s, blocked by pid " + report.pid())
                .endsWith(" Left behind, neither attached nor detached: partition day_1. To complete it: ALTER TABLE"
                        + " public.\"Days\" DETACH PARTITION public.day_1 FINALIZE.");

        report.rollback();
        execute(scenario.observer(), "alter table public.\"Days\" detach partition public.day_1 finalize");
    }

    @Test
    void theDropWaitsForTheBlockersTooAndIsTriedAgain() throws SQLException {
        Session web = writing();
        Call<String> unit = alone(
                building().retryDelay(Duration.ofMillis(50)).retryMaxDelay(Duration.ofMillis(50)),
                "create index concurrently by_id on orders (id)");

        scenario.await("an attempt that failed at the drop", () -> hasSaid("(attempt 3, "));
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
        assertThat(indexes(true)).containsExactly("by_id");
        assertThat(indexes(false)).isEmpty();
    }

    @Test
    void whatWasInvalidBeforeIsNotTouched() throws SQLException {
        leaveInvalid("create index concurrently from_before on orders (id)");
        Session web = writing();
        Call<String> unit = alone(building(), "create index concurrently by_id on orders (id)");

        awaitPause();
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
        assertThat(indexes(false)).containsExactly("from_before");
        assertThat(indexes(true)).containsExactly("by_id");
    }

    @Test
    void whatAnotherSessionHasLeftMeanwhileIsNotTouched() throws SQLException {
        Session web = writing();
        Call<String> unit = alone(building(), "create index concurrently by_id on orders (id)");
        awaitPause();
        try (Connection other = side.getConnection()) {
            execute(other, "set lock_timeout = '100ms'");
            assertThatThrownBy(() -> execute(other, "create index concurrently of_another on orders (id)"))
                    .isInstanceOf(SQLException.class);
        }

        web.commit();

        assertThat(unit.await()).isEqualTo("done");
        assertThat(indexes(false)).containsExactly("of_another");
    }

    @Test
    void whatAnotherSessionIsBuildingIsNeverDropped() throws SQLException {
        Session web = writing();
        Session other = scenario.session("other");
        Running theirs = other.start("create index concurrently by_id on orders (id)");
        scenario.awaitBlockedBy(other, web);
        scenario.await("their index to be there", () -> indexes(false).equals(List.of("by_id")));
        Call<String> unit = alone(building(), "create index concurrently on orders (id)");
        awaitPause();
        assertThat(hasSaid("blocked by pid " + other.pid())).isTrue();

        web.commit();

        theirs.await();
        assertThat(unit.await()).isEqualTo("done");
        assertThat(indexes(true)).hasSize(2).contains("by_id");
        assertThat(hasSaid("dropped")).isFalse();
    }

    @Test
    void whatReindexLeavesIsDroppedToo() throws SQLException {
        Assumptions.assumeTrue(server.majorVersion() >= 12, "REINDEX CONCURRENTLY came with PostgreSQL 12");
        migration().execute("create index by_id on orders (id)");
        Session web = writing();
        Call<String> unit = alone(building(), "reindex index concurrently by_id");

        awaitPause();
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
        assertThat(indexes(true)).containsExactly("by_id");
        assertThat(indexes(false)).isEmpty();
    }

    private void createDocuments() throws SQLException {
        execute(
                scenario.observer(),
                "drop table if exists docs, parts",
                "create table docs (id int primary key, body text)",
                "create table parts (id int, body text) partition by range (id)",
                "create table part_1 partition of parts for values from (1) to (2)");
        if (server.majorVersion() >= 11) {
            execute(scenario.observer(), "create index parts_by_id on parts (id)");
        }
    }

    /** For whose end a build has to wait, whatever it has looked at. */
    private Session oldSnapshot() {
        return inTransaction("report", "set transaction isolation level repeatable read", "select 1");
    }

    private List<String> invalidAnywhere() throws SQLException {
        return Held.column(
                scenario.observer(), "select indexrelid::regclass from pg_index where not indisvalid order by 1");
    }

    /** It builds those of TOAST tables and of partitions anew too, and leaves theirs. */
    @ParameterizedTest
    @CsvSource({
        "12, reindex table concurrently docs, 2",
        "12, reindex table concurrently part_1, 2",
        "14, reindex table concurrently parts, 2",
        "14, reindex (concurrently) index parts_by_id, 1",
    })
    void whatReindexLeavesElsewhereIsDroppedToo(int since, String sql, int left) throws SQLException {
        server.assumeAtLeast(since);
        createDocuments();
        Session report = oldSnapshot();
        Call<String> unit = alone(building(), sql);

        awaitPause();
        assertThat(invalidAnywhere()).hasSize(left);
        report.commit();

        assertThat(unit.await()).isEqualTo("done");
        assertThat(invalidAnywhere()).isEmpty();
    }

    @Test
    void whatReindexLeavesElsewhereIsNamedWhenItGivesUp() throws SQLException {
        server.assumeAtLeast(14);
        createDocuments();
        Session report = oldSnapshot();

        String failed = alone(building().retryAttempts(1), "reindex table concurrently parts")
                .await();

        List<String> left = invalidAnywhere();
        assertThat(left)
                .hasSize(2)
                .anyMatch(index -> index.startsWith("pg_toast."))
                .contains("part_1_id_idx_ccnew");
        assertThat(failed)
                .contains(" Left behind, invalid: public.part_1_id_idx_ccnew, pg_toast.pg_toast_")
                .contains(" Before the next try: DROP INDEX CONCURRENTLY public.part_1_id_idx_ccnew; DROP INDEX"
                        + " CONCURRENTLY pg_toast.pg_toast_")
                .endsWith(" In pg_toast that takes a superuser, or the owner with USAGE on that schema.");
        report.commit();
        createDocuments();
    }

    /** Another attempt would leave another one, and every write would pay for them all. */
    @Test
    void isNotTriedAgainWhereItsRoleMayNotDropWhatIsLeft() throws SQLException {
        server.assumeAtLeast(12);
        createDocuments();
        Role owner = scenario.role("owner");
        execute(scenario.observer(), "alter table docs owner to " + owner.name());
        oldSnapshot();
        String sql = "reindex table concurrently docs";
        LockPolicy brisk = building().retryDelay(Duration.ofMillis(50)).retryMaxDelay(Duration.ofMillis(50));
        try (Connection mine = scenario.connectAs(owner);
                LockGuard guard = open(mine, brisk)) {
            guard.beforeStatement(sql);
            SQLException failure = catchThrowableOfType(
                    SQLException.class,
                    () -> guard.run(
                            () -> {
                                execute(mine, sql);
                                return true;
                            },
                            LockGuard.Undo.NOTHING));
            guard.afterStatement();

            assertThat(failure.getSQLState()).isEqualTo("55P03");
            assertThat(failure.getSuppressed())
                    .singleElement()
                    .asString()
                    .contains("permission denied for schema pg_toast");
            assertThat(guard.failed(failure).orElseThrow())
                    .contains(" Left behind, invalid: pg_toast.pg_toast_")
                    .endsWith(" In pg_toast that takes a superuser, or the owner with USAGE on that schema.");
        }
        assertThat(invalidAnywhere()).singleElement().asString().startsWith("pg_toast.");
        createDocuments();
    }

    @Test
    void ifNotExistsOnTopOfAnInvalidIndexIsAnError() throws SQLException {
        leaveInvalid("create index concurrently \"By Id\" on orders (id)");
        try (Connection mine = side.getConnection();
                LockGuard guard = open(mine, building())) {
            assertThatThrownBy(() ->
                            guard.beforeStatement("create index concurrently if not exists \"By Id\" on orders (id)"))
                    .isInstanceOf(PgLockException.class)
                    .hasMessageStartingWith("V7__note.sql: public.\"By Id\" exists and is invalid: ")
                    .hasMessageEndingWith("DROP INDEX CONCURRENTLY public.\"By Id\", then run this again.");
            assertThat(guard.insideStatement()).isFalse();
            assertThat(Held.setting(mine, "lock_timeout")).isEqualTo("30s");
        }
    }

    @Test
    void ifNotExistsOnTopOfAValidIndexIsNone() {
        migration().execute("create index by_id on orders (id)");
        assertThat(alone(building(), "create index concurrently if not exists by_id on orders (id)")
                        .await())
                .isEqualTo("done");
        assertThat(alone(building(), "create index concurrently if not exists other on orders (id)")
                        .await())
                .isEqualTo("done");
    }

    @Test
    void aHostThatTellsItsStatementsWithinTheAttemptIsServedAlike() throws SQLException {
        Session web = writing();
        String sql = "create index concurrently if not exists by_id on orders (id)";
        Call<String> unit = migration().run(connection -> {
            try (LockGuard guard = open(connection, building())) {
                guard.run(
                        () -> {
                            guard.beforeStatement(sql);
                            try {
                                execute(connection, sql);
                            } finally {
                                guard.afterStatement();
                            }
                            return true;
                        },
                        LockGuard.Undo.NOTHING);
                return "done";
            }
        });

        awaitPause();
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
        assertThat(indexes(true)).containsExactly("by_id");
        assertThat(indexes(false)).isEmpty();
    }
}
