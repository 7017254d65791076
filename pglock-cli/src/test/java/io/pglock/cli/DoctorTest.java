// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.cli.Cli.Ended;
import io.pglock.testkit.Database;
import io.pglock.testkit.Leaves;
import io.pglock.testkit.Leftover;
import io.pglock.testkit.PgBouncer;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Role;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import io.pglock.testkit.TcpProxy;
import java.sql.Connection;
import java.sql.Statement;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@PostgresTest
class DoctorTest {

    @Test
    @Tag("versions")
    void findsNothingWhereAllIsWell(Database database, PostgresServer server) {
        String out = Cli.on(database).run("doctor").succeeded().out();
        assertThat(out)
                .contains(
                        "ok    version: PostgreSQL " + server.majorVersion(),
                        "ok    standby: this server is the primary",
                        "ok    pooler: the connection is direct",
                        "ok    signal: ",
                        "ok    stats: ",
                        "ok    lock-timeout: deadlock_timeout is 1s",
                        "ok    locks: ",
                        "ok    prepared: there is no prepared transaction",
                        "ok    invalid-index: every index is valid",
                        "ok    clock: ")
                .doesNotContain("bad ");
    }

    /** The setting that the examining session has need not be everybody's. */
    @Test
    void doesNotTakeALimitForEverybodysThatSomebodyHasPassed(Database database, Scenario scenario) {
        Session web = scenario.session("web");
        web.execute("set idle_in_transaction_session_timeout = 0", "begin", "select 1");
        scenario.await(
                "it to have idled for longer",
                () -> Cli.on(database)
                        .environment("PGOPTIONS", "-c idle_in_transaction_session_timeout=10ms")
                        .run("doctor")
                        .out()
                        .lines()
                        .anyMatch(line -> line.startsWith("warn  idle-in-transaction: ")
                                && line.contains("pid " + web.pid())
                                && line.contains("idle_in_transaction_session_timeout is 10ms for " + database.user()
                                        + ", and not for everybody")));
        web.rollback();
    }

    @Test
    @Tag("versions")
    void findsWhatStandsInTheWayOfMigrations(Database database, Scenario scenario) {
        scenario.assumePreparedTransactions();
        Session one = scenario.session("one");
        one.execute("create table orders (id int)", "insert into orders values (1), (1)");
        one.start("create unique index concurrently orders_id on orders (id)").awaitFailure();
        one.execute("begin", "lock table orders", "prepare transaction 'it''s stuck'");
        one.execute("begin", "select 1");
        try {
            Ended ended = Cli.on(database).run("doctor", "--old", "1ms", "--lock-timeout", "500ms");
            assertThat(ended.code()).isEqualTo(2);
            assertThat(ended.err()).isEmpty();
            assertThat(ended.out())
                    .contains("bad   invalid-index: public.orders_id on orders is invalid")
                    .contains("DROP INDEX CONCURRENTLY public.orders_id; and create it again")
                    .contains("bad   prepared: \"it's stuck\" of " + database.user() + " in " + database.name())
                    .contains("ROLLBACK PREPARED 'it''s stuck';")
                    .contains(
                            "warn  oldest-transaction: ",
                            "pid " + one.pid() + " (one on " + database.name() + ", idle in transaction for ")
                    .contains("warn  idle-in-transaction: ", "SET idle_in_transaction_session_timeout = '60s'")
                    .contains("warn  lock-timeout: deadlock_timeout is 1s, a lock timeout of 500ms ends before");
            Ended json = Cli.on(database).run("doctor", "--json");
            assertThat(json.code()).isEqualTo(2);
            assertThat(scenario.session("reader")
                            .value("select string_agg(f ->> 'level' || ' ' || (f ->> 'check'), ', ')"
                                    + " from json_array_elements('" + json.out().replace("'", "''") + "') f"
                                    + " where f ->> 'check' in ('invalid-index', 'prepared')"))
                    .isEqualTo("warn prepared, bad invalid-index");
        } finally {
            one.execute("rollback", "rollback prepared 'it''s stuck'", "drop table orders");
        }
    }

    /** The remedies of other indexes would take the constraint with them, or do not work. */
    @Test
    @Tag("versions")
    void anIndexOfAConstraintIsBuiltAnew(Database database, Scenario scenario) {
        Session owner = scenario.session("owner");
        owner.execute(
                "create table booked (id int primary key, during int4range, exclude using gist (during with &&))",
                "update pg_index set indisvalid = false where indrelid = 'booked'::regclass");
        try {
            Ended ended = Cli.on(database).run("doctor");
            assertThat(ended.code()).isEqualTo(2);
            assertThat(ended.out())
                    .containsPattern("public.booked_pkey on booked is invalid.*\n +REINDEX INDEX (CONCURRENTLY )?"
                            + "public.booked_pkey;")
                    .containsPattern("public.booked_during_excl on booked is invalid.*\n +REINDEX INDEX"
                            + " public.booked_during_excl; \\(which locks out writers\\)")
                    .doesNotContain("DROP INDEX");
        } finally {
            owner.execute("drop table booked");
        }
    }

    @Test
    void tellsWhenAServerIsTooOldOrNewerThanWhatWasTested(Database database, PostgresServer server) {
        try (TcpProxy proxy = TcpProxy.to(server.host(), server.port())) {
            Cli claiming = Cli.on(database)
                    .environment("PGHOST", "127.0.0.1")
                    .environment("PGPORT", Integer.toString(proxy.port()))
                    .environment("PGSSLMODE", "disable")
                    .environment("PGGSSENCMODE", "disable");
            proxy.reportParameter("server_version", "9.6.24");
            Ended old = claiming.run("doctor");
            assertThat(old.code()).isEqualTo(2);
            assertThat(old.err()).isEmpty();
            assertThat(old.lines())
                    .containsExactly("bad   version: PostgreSQL 9.6.24", "      pglock needs PostgreSQL 10 or newer.");
            proxy.reportParameter("server_version", "19.1");
            assertThat(claiming.run("doctor").succeeded().out())
                    .contains("warn  version: PostgreSQL 19.1, database ", "was tested up to PostgreSQL 18");
        }
    }

    @Test
    void whatOthersWroteDoesNotMoveTheCursor(Database database, Scenario scenario) {
        scenario.session("nasty").execute("begin", "select '\u001b[31mred'");
        assertThat(Cli.on(database).run("doctor", "--old", "0s").out())
                .contains("?[31mred")
                .doesNotContain("\u001b");
    }

    /** What it sent is shown to those of other databases as the bytes that it is in its own. */
    @Test
    void aQueryInAnotherEncodingIsReadAsFarAsItCanBe(Database database, PostgresServer server) throws Exception {
        try (Database other = server.createDatabaseIn("LATIN1");
                Connection legacy = other.connect("legacy");
                Statement statement = legacy.createStatement()) {
            statement.execute("create table names (name text)");
            statement.execute("begin");
            statement.execute("insert into names values ('Andr\u00e9')");
            Ended examined = Cli.on(database).run("doctor", "--old", "0s");
            assertThat(examined.err()).isEmpty();
            assertThat(examined.out())
                    .contains("(legacy on " + other.name() + ", idle in transaction", "'Andr\ufffd')");
            assertThat(Cli.on(database).run("ls", "--json", "-f", "activity__application_name=legacy"))
                    .satisfies(listed -> assertThat(listed.err()).isEmpty())
                    .satisfies(listed -> assertThat(listed.out()).contains("'Andr\ufffd')"));
            assertThat(Cli.on(database).run("tree", "--json").succeeded().lines())
                    .isNotEmpty();
            statement.execute("select 'Andr\u00e9' --\u00e9"); // which would be the first of three bytes
            examined = Cli.on(database).run("doctor", "--old", "0s");
            assertThat(examined.err()).isEmpty();
            assertThat(examined.out()).contains("'Andr\ufffd' --\ufffd\"");
        }
    }

    @Test
    void sparesAnIndexThatIsBeingBuilt(Database database, Scenario scenario) {
        Session writer = scenario.session("writer");
        Session builder = scenario.session("builder");
        writer.execute("create table items (id int)");
        writer.execute("begin", "insert into items values (1)");
        var building = builder.start("create index concurrently items_id on items (id)");
        scenario.awaitBlockedBy(builder, writer);
        assertThat(Cli.on(database).run("doctor").succeeded().out()).contains("ok    invalid-index: ");
        writer.commit();
        building.await();
    }

    @Test
    @Tag("versions")
    void namesTheGrantsThatARoleLacks(Database database, Scenario scenario) {
        Role role = scenario.role("clerk");
        Cli clerk = Cli.on(database).environment("PGUSER", role.name()).environment("PGPASSWORD", role.password());
        assertThat(clerk.run("doctor").succeeded().out())
                .contains("warn  signal: ", "GRANT pg_signal_backend TO \"" + role.name() + "\";")
                .contains("warn  stats: ", "GRANT pg_read_all_stats TO \"" + role.name() + "\";");
        Role able = scenario.role("operator", "pg_signal_backend", "pg_monitor");
        assertThat(Cli.on(database)
                        .environment("PGUSER", able.name())
                        .environment("PGPASSWORD", able.password())
                        .run("doctor")
                        .succeeded()
                        .out())
                .contains("ok    signal: ", "ok    stats: ");
    }

    @Test
    @Leaves(what = Leftover.SESSION, because = "the sessions of the pool end with PgBouncer, a moment later")
    void tellsPoolersApart(Database database) {
        assertThat(through(database, "transaction")).extracting(Ended::code).isEqualTo(2);
        Ended session = through(database, "session");
        assertThat(session.code()).isZero();
        assertThat(session.out()).contains("warn  pooler: there is a pooler in between, which keeps sessions apart");
    }

    private static Ended through(Database database, String mode) {
        try (PgBouncer bouncer = PgBouncer.startOrSkip(database, mode)) {
            Ended ended = Cli.on(database)
                    .environment("PGHOST", "127.0.0.1")
                    .environment("PGPORT", Integer.toString(bouncer.port()))
                    .run("doctor");
            assertThat(ended.err()).isEmpty();
            assertThat(ended.out()).contains(" pooler: there is a pooler in between");
            return ended;
        }
    }

    @Test
    void aStandbyIsTheWrongServer() {
        try (PostgresServer standby = PostgresServer.startStandby()) {
            Ended ended = Cli.on(standby.maintenance()).run("doctor");
            assertThat(ended.code()).isEqualTo(2);
            assertThat(ended.out()).contains("bad   standby: this server is a standby", "target_session_attrs=primary");
            Ended refused = Cli.on(standby.maintenance()).run("run", "report", "--", "echo", "ran");
            assertThat(refused.code()).isEqualTo(69);
            assertThat(refused.out()).isEmpty();
            assertThat(refused.err()).contains("this server is a hot standby");
        }
    }

    @Test
    void countsTheLocksThatThereIsRoomFor() throws Exception {
        Map<String, String> small = Map.of(
                "max_locks_per_transaction",
                "10",
                "max_connections",
                "12",
                "max_wal_senders", // which PostgreSQL 11 wants to fit into the connections
                "0",
                "max_prepared_transactions",
                "0",
                "track_activity_query_size",
                "200",
                "log_lock_waits",
                "on",
                "autovacuum",
                "off");
        try (PostgresServer server = PostgresServer.startEmbedded(small);
                Connection connection = server.maintenance().connect();
                Statement statement = connection.createStatement()) {
            statement.execute("create table log (id int not null) partition by range (id)");
            for (int i = 0; i < 30; i++) {
                statement.execute("create table log_" + i + " partition of log (primary key (id)) for values from (" + i
                        + ") to (" + (i + 1) + ")");
            }
            Ended half = Cli.on(server.maintenance()).run("doctor");
            assertThat(half.code()).isZero();
            assertThat(half.out())
                    .contains(
                            "ok    locks: 0 of about 120 locks",
                            "warn  partitions: to lock all of public.log, with 30 partitions, takes 61 locks")
                    .contains(
                            "warn  query-size: track_activity_query_size is 200",
                            "ok    log-lock-waits: log_lock_waits is on");
            connection.setAutoCommit(false);
            statement.execute("select pg_advisory_xact_lock(n) from generate_series(1, 100) n");
            Ended full = Cli.on(server.maintenance()).run("doctor");
            assertThat(full.code()).isEqualTo(2);
            assertThat(full.out())
                    .contains(
                            "bad   locks: ",
                            "soon nobody can lock anything",
                            "ALTER SYSTEM SET max_locks_per_transaction = 20;")
                    .contains("bad   partitions: ");
            connection.rollback();
        }
    }

    @Test
    void wrongOptionsAreSaid() {
        refused("--lock-timeout=5: a bare number has no unit; write 5s or 5ms", "--lock-timeout", "5");
        refused("--old yesterday is not a duration", "--old", "yesterday");
        refused("--old -PT5M is not a duration", "--old", "-PT5M");
        refused("--old PT-5M is too short; at least 0s", "--old", "PT-5M");
    }

    private static void refused(String why, String... options) {
        Ended ended = Cli.bare()
                .run(Stream.concat(Stream.of("doctor"), Stream.of(options)).toArray(String[]::new));
        assertThat(ended.code()).isEqualTo(1);
        assertThat(ended.err()).startsWith("pglock: " + why);
    }
}
