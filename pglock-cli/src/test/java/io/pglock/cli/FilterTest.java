// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Await;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** {@code --filter} and {@code --sort}, right and wrong. */
@PostgresTest
class FilterTest {

    private static final Cli NO_SERVER = Cli.bare();

    private final Cli cli;
    private final Session report;
    private final Session writer;

    FilterTest(Database database, Scenario scenario) {
        this.cli = Cli.on(database);
        this.report = scenario.session("report");
        this.writer = scenario.session("writer");
        report.execute("drop table if exists sales", "create table sales (id int)", "begin", "select * from sales");
        writer.execute("begin", "insert into sales values (1) /*route='%2Fsales',team='a'*/");
    }

    @Test
    void allOfSeveralFiltersHaveToBeTrue() {
        assertThat(pids("activity__state=IDLE_IN_TRANSACTION")).containsExactlyInAnyOrder(report.pid(), writer.pid());
        assertThat(pids("activity__state=idle in transaction", "mode=access_share", "granted=True"))
                .containsExactly(report.pid());
        assertThat(pids("mode__gt=ACCESS SHARE", "mode__lte=RowExclusiveLock", "rel_kind=TABLE"))
                .containsExactly(writer.pid());
        assertThat(pids("activity__query__icontains=INSERT", "activity__xact_duration__lt=1 hour 30 minutes"))
                .containsExactly(writer.pid());
        assertThat(pids("activity__duration__gt=01:00:00")).isEmpty();
        assertThat(pids(
                        "activity__context__route=/sales",
                        "activity__context__team__in=a,b",
                        "wait_start__isnull=true"))
                .containsExactly(writer.pid());
        assertThat(pids("activity__context__isnull=true", "activity__backend_start__lte=2999-01-01"))
                .containsExactly(report.pid());
        assertThat(pids("activity_id__in=" + report.pid() + ", 1")).containsExactly(report.pid());
        assertThat(pids("activity__backend_xid__isnull=false", "activity__client_port__gt=0"))
                .containsExactly(writer.pid());
    }

    @Test
    void transactionIdsAreNumbers() {
        String xid = writer.value("select txid_current() % 4294967296");
        String shorter = "9".repeat(xid.length() - 1);
        assertThat(pids("activity__backend_xid=" + xid)).containsExactly(writer.pid());
        assertThat(pids("activity__backend_xid__gt=" + shorter)).containsExactly(writer.pid());
        assertThat(pids("activity__backend_xid__lt=" + shorter, "activity__backend_xid__isnull=false"))
                .as("as texts %s is less than %s", xid, shorter)
                .isEmpty();
        report.execute("rollback", "begin isolation level repeatable read", "select * from sales");
        assertThat(pids("activity__backend_xmin__lte=" + xid, "activity__backend_xmin__gt=" + shorter))
                .contains(report.pid());
        refused("activity__backend_xmin__lt=old", "old is not a whole number");
    }

    /** PostgreSQL's own notation; only before a port it stands in brackets. */
    @Test
    void anAddressIsWrittenAsPostgresShowsIt() throws Exception {
        try (PostgresServer own = PostgresServer.startEmbedded(Map.of("listen_addresses", "127.0.0.1,::1"));
                Connection client = overIpv6(own);
                Statement statement = client.createStatement()) {
            statement.execute("create table sales (id int)");
            statement.execute("begin");
            statement.execute("select * from sales");
            Cli there = Cli.on(own.maintenance());
            String[] addresses = {"ls", "--on", "sales", "--csv", "-a", "activity__client_addr"};
            assertThat(there.run(with(addresses, "-f", "activity__client_addr=::1"))
                            .succeeded()
                            .lines())
                    .containsExactly("activity__client_addr", "::1");
            assertThat(there.run(with(addresses, "-f", "activity__client_addr__ne=::1"))
                            .succeeded()
                            .lines())
                    .containsExactly("activity__client_addr");
            try (Connection waiter = own.maintenance().connect("waiter");
                    Statement waiting = waiter.createStatement()) {
                statement.execute("select pg_advisory_xact_lock(7)");
                CompletableFuture<Void> locking = CompletableFuture.runAsync(() -> {
                    try {
                        waiting.execute("select pg_advisory_lock(7)");
                    } catch (SQLException e) {
                        throw new CompletionException(e);
                    }
                });
                String[] blocker = {"ls", "--blocking", "--csv", "-a", "blocking_activity__client_addr"};
                Await.until(
                        Duration.ofSeconds(60),
                        "the waiter to be blocked by a client at ::1",
                        () -> there.run(with(blocker, "-f", "blocking_activity__client_addr=::1"))
                                .lines()
                                .equals(List.of("blocking_activity__client_addr", "::1")),
                        () -> there.run(blocker).out());
                statement.execute("rollback");
                locking.get(30, TimeUnit.SECONDS);
            }
        }
    }

    private static String[] with(String[] words, String... more) {
        return Stream.concat(Stream.of(words), Stream.of(more)).toArray(String[]::new);
    }

    /** Skips the test where there is no IPv6. */
    private static Connection overIpv6(PostgresServer server) {
        try {
            Database database = server.maintenance();
            return DriverManager.getConnection(
                    "jdbc:postgresql://[::1]:" + server.port() + "/" + database.name(),
                    database.user(),
                    database.password());
        } catch (SQLException e) {
            return Assumptions.abort("needs IPv6: " + e.getMessage());
        }
    }

    private List<Integer> pids(String... filters) {
        String[] words = Stream.concat(
                        Stream.of("ls", "--on", "sales", "--csv", "-a", "pid"),
                        Stream.of(filters).flatMap(filter -> Stream.of("-f", filter)))
                .toArray(String[]::new);
        return cli.run(words).succeeded().lines().stream()
                .skip(1)
                .map(Integer::valueOf)
                .toList();
    }

    @Test
    void whatIsWrongIsSaidBeforeTheServerIsAsked() {
        refused("activity__state", "the filter activity__state is not attribute=value or attribute__operator=value");
        refused("activity__quary=x", "unknown attribute activity__quary; did you mean activity__query?");
        refused("duration__gt=5s", "unknown attribute duration; did you mean activity__duration?");
        refused("activity__duration__gtt=5s", "unknown operator gtt for activity__duration; did you mean gt?");
        for (String blank :
                new String[] {"activity__application_name__ne = etl", "rel_name= sales", "key__iexact=7 "}) {
            refused(blank, "there is a blank before or behind the value; write it without");
        }
        refused("activity__duration__gt=5", "5 has no unit; write 5s or 5ms");
        refused("wait_duration__gt=5 parsecs", "5 parsecs is not a duration; write 30s, 1m30s");
        refused("granted=perhaps", "perhaps is neither true nor false");
        refused("mode=ACCESS EXCLUSVE", "did you mean ACCESS EXCLUSIVE?");
        refused("granted__contains=t", "granted is a true or false and does not know contains");
        refused(
                "transaction__gt=100",
                "transaction is a text without order and does not know gt, only exact, iexact, ne");
        refused("key__lte=100", "key is a text without order and does not know lte");
        refused("activity_id=web", "web is not a whole number");
        refused("activity__query__regex=(", "( is not a regular expression");
        refused("blocking_hard=true", "blocking_hard is known with --blocking only");
    }

    private static void refused(String filter, String why) {
        complained(NO_SERVER.run("ls", "-f", filter), why);
    }

    @Test
    void soIsWhatElseIsWrong() {
        complained(NO_SERVER.run("ls", "--sort", "-wait_durtion"), "did you mean wait_duration?");
        complained(NO_SERVER.run("ls", "-a", "mod"), "unknown attribute mod; did you mean mode?");
        complained(NO_SERVER.run("ls", "-a", "blocking_modes"), "blocking_modes is known with --blocking only");
        complained(NO_SERVER.run("ls", "--limit", "0"), "--limit 0 is not a number of rows; write 10, or none");
        complained(NO_SERVER.run("ls", "--watch", "2"), "--watch 2 has no unit; write 2s or 2ms");
        complained(NO_SERVER.run("ls", "--json", "--csv"), "--json and --csv exclude each other");
        complained(NO_SERVER.run("ls", "--on", "a..b"), "--on a..b is not the name of a table");
        complained(NO_SERVER.run("ls", "--sort", "-"), "the name of an attribute is missing");
        complained(NO_SERVER.run("ls", "4711", "orders"), "orders is not a process id; --on orders asks for a table");
        complained(NO_SERVER.run("--no-color", "tree"), "and the name of a command comes first");
        complained(NO_SERVER.run("tree", "-4711"), "-4711 is not a process id");
        complained(NO_SERVER.run("ls", "--bloking"), "Unknown option: '--bloking'; did you mean --blocking?");
        for (String command : new String[] {"tree", "watch"}) {
            complained(NO_SERVER.run(command, "--limit", "3"), "Unknown option");
            complained(NO_SERVER.run(command, "--sort", "mode"), "Unknown option");
            complained(NO_SERVER.run(command, "--blocking"), "Unknown option");
        }
        for (String command : new String[] {"ls", "tree", "watch", "cancel"}) {
            complained(cli.run(command, "--on", "saels"), "saels: there is no such relation in database");
        }
    }

    private static void complained(Cli.Ended ended, String why) {
        assertThat(ended.code()).isEqualTo(1);
        assertThat(ended.out()).isEmpty();
        assertThat(ended.err()).startsWith("pglock: ").contains(why).doesNotContain("\tat ", "Exception");
    }
}
