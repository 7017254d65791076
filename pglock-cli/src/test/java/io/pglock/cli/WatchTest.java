// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.QueueScene;
import io.pglock.testkit.Role;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import io.pglock.testkit.TcpProxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/** {@code pglock watch}, in a terminal and without one. */
class WatchTest extends QueueScene {

    private final Database database;

    WatchTest(Database database, Scenario scenario) {
        super(scenario);
        this.database = database;
    }

    @Test
    void showsTheTreeAsItChangesAndGivesTheTerminalBack() {
        try (Tmux tmux = watch()) {
            tmux.await("0 waiting, 0 blocking", "nobody waits for a lock", "q quit");
            readersBehindAMigrationBehindAnIdleTransaction();
            String screen = tmux.await("2 waiting, 1 blocking", "╰┄ pid " + web.pid() + " web");
            assertThat(screen)
                    .contains("> pid " + holder.pid() + " holder", "╰╴ pid " + migration.pid() + " migration")
                    .contains("database " + database.name())
                    .containsPattern("waiting ▁+.*█+ +at most 2");
            assertThat(tmux.styledScreen()).contains("\u001b[");
            holder.commit();
            tmux.await("0 waiting, 0 blocking", "nobody waits for a lock", "at most 2");
            tmux.keys("q");
            assertThat(tmux.awaitExit()).isZero();
            assertIsAsItWas(tmux);
        }
    }

    @Test
    void choosesOpensFiltersSortsAndPauses() {
        readersBehindAMigrationBehindAnIdleTransaction();
        Session other = scenario.session("other");
        other.execute("begin", "select * from items");
        scenario.session("patient").start("alter table items add note text /*route='%2Fitems'*/");
        scenario.awaitBlocked(scenario.session("patient"));
        try (Tmux tmux = watch()) {
            tmux.await("3 waiting, 2 blocking", "> pid " + holder.pid());
            tmux.keys("Down");
            tmux.await("> " + "    ╰╴ pid " + migration.pid());
            tmux.keys("Enter");
            tmux.await("waits for ACCESS EXCLUSIVE on orders", "behind pid " + holder.pid(), "alter table orders");
            tmux.keys("k");
            tmux.await("> pid " + holder.pid(), "holds ACCESS SHARE on orders", "transaction open for");
            tmux.keys("Escape");
            tmux.await("the details to be gone", screen -> !screen.contains("holds ACCESS SHARE"));

            tmux.keys("s", "s", "s");
            tmux.await("by pid");
            tmux.keys("/", "P", "A", "T", "I", "E");
            String filtered = tmux.await("/PATIE_", "patient");
            assertThat(filtered).doesNotContain("migration");
            tmux.keys("Enter");
            tmux.await("/PATIE", "q quit");
            tmux.keys("G", "Enter");
            tmux.await("route = /items", "alter table items add note text");
            tmux.keys("Enter");
            tmux.keys("p");
            tmux.await("PAUSED");
            tmux.keys("?");
            tmux.await("terminate the selected session, after a question");
            tmux.keys("Escape");
            tmux.await("the help to be gone", screen -> !screen.contains("after a question"));
            tmux.keys("Escape");
            tmux.await("migration", "patient");
            tmux.keys("p", "q");
            assertThat(tmux.awaitExit()).isZero();
        }
    }

    @Test
    void terminatesWhoIsChosenAfterAQuestion() {
        Running altering = altering();
        try (Tmux tmux = watch()) {
            tmux.await("> pid " + holder.pid());
            tmux.keys("t");
            assertThat(tmux.await("y/[n]").replaceAll("\\s+", " "))
                    .contains("Terminate pid " + holder.pid() + " (holder, idle in transaction for")
                    .contains("transaction open for");
            tmux.keys("n");
            tmux.await("Nothing was sent.");
            tmux.keys("c");
            tmux.await("left alone, it runs no statement");
            tmux.keys("t");
            tmux.await("y/[n]");
            tmux.keys("y");
            tmux.await("Terminated pid " + holder.pid(), "nobody waits for a lock");
            tmux.keys("q");
            assertThat(tmux.awaitExit()).isZero();
        }
        scenario.awaitGone(holder.pid());
        altering.await();
    }

    /** The lock of its session was all that there was to it, and of transactions it has had none before and after. */
    @Test
    void whoHasLetGoOutsideOfATransactionIsNotHit() {
        holder.execute("select pg_advisory_lock(77)");
        Running waiting = web.start("select pg_advisory_lock(77)");
        scenario.awaitBlockedBy(web, holder);
        try (Tmux tmux = watch()) {
            tmux.await("> pid " + holder.pid());
            tmux.keys("p");
            tmux.await("PAUSED");
            holder.execute("select pg_advisory_unlock(77)");
            waiting.await();
            tmux.keys("t");
            tmux.await("y/[n]");
            tmux.keys("y");
            tmux.await("left alone, it is in nobody's way any more");
            tmux.keys("q");
            assertThat(tmux.awaitExit()).isZero();
        }
        assertThat(holder.value("select 1")).isEqualTo("1");
        web.execute("select pg_advisory_unlock(77)");
    }

    @Test
    void whoSaysYesAndQuitsIsToldWhatCameOfIt() {
        Running altering = altering();
        try (Tmux tmux = watch()) {
            tmux.await("> pid " + holder.pid());
            tmux.keys("t");
            tmux.await("y/[n]");
            tmux.keys("y", "q");
            assertThat(tmux.awaitExit()).isZero();
            assertIsAsItWas(tmux);
            assertThat(tmux.text()).startsWith("pglock: Terminated pid " + holder.pid() + " (holder, idle");
        }
        scenario.awaitGone(holder.pid());
        altering.await();
    }

    @Test
    void whatASilentServerMakesOfASignalIsNotKnownAndThatIsSaid() {
        holder.execute("begin", "select * from orders");
        migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);
        try (TcpProxy proxy =
                        TcpProxy.to(database.server().host(), database.server().port());
                Tmux tmux = Tmux.start(
                        Cli.on(database)
                                .environment("PGHOST", "127.0.0.1")
                                .environment("PGPORT", Integer.toString(proxy.port())),
                        "watch",
                        "--interval",
                        "200ms")) {
            tmux.await("> pid " + holder.pid());
            tmux.keys("t");
            tmux.await("y/[n]");
            proxy.cutSilently();
            tmux.keys("y", "q");
            tmux.await("Waiting for what comes of it; ctrl-c leaves at once.");
            tmux.keys("C-c");
            assertThat(tmux.awaitExit())
                    .as("not 69: it has not waited for the failure")
                    .isZero();
            assertIsAsItWas(tmux);
            assertThat(tmux.text())
                    .containsPattern("pglock: (Nothing was sent to|It is not known whether) pid " + holder.pid());
        }
    }

    @Test
    void whatTheRoleMayNotSeeStandsOnALineOfItsOwn() {
        readersBehindAMigrationBehindAnIdleTransaction();
        Role role = scenario.role("blind");
        Cli blind = Cli.on(database).environment("PGUSER", role.name()).environment("PGPASSWORD", role.password());
        try (Tmux tmux = Tmux.start(blind, "watch", "--interval", "200ms")) {
            String screen = tmux.await("2 waiting", "q quit", "State and query of ", "GRANT pg_read_all_stats TO ");
            assertThat(screen.lines().filter(line -> line.contains("State and query of ")))
                    .singleElement()
                    .asString()
                    .doesNotContain("quit");
            tmux.keys("q");
            assertThat(tmux.awaitExit()).isZero();
        }
        Cli.Ended printed = blind.run("watch", "--count", "2", "--interval", "100ms");
        assertThat(printed.code()).isZero();
        assertThat(printed.err()).startsWith("pglock: State and query of ").hasLineCount(1);
    }

    @Test
    void cancelsAStatement() {
        Running altering = altering();
        try (Tmux tmux = watch()) {
            tmux.await("> pid " + holder.pid());
            tmux.keys("j", "c");
            tmux.await("Cancel the statement of pid " + migration.pid());
            tmux.keys("y");
            tmux.await("Cancelled the statement of pid " + migration.pid());
            assertThat(altering.awaitFailure().getSQLState()).isEqualTo("57014");
            tmux.keys("q");
            assertThat(tmux.awaitExit()).isZero();
        }
        assertThat(holder.value("select 1")).isEqualTo("1");
    }

    @Test
    void whoHasGoneOnToAnotherTransactionSinceTheQuestionIsNotHit() {
        Running altering = altering();
        try (Tmux tmux = watch()) {
            tmux.await("> pid " + holder.pid());
            tmux.keys("t");
            tmux.await("y/[n]");
            holder.commit();
            altering.await();
            holder.execute("begin", "select * from orders");
            tmux.keys("y");
            tmux.await(
                    "what came of it",
                    screen -> screen.replaceAll("\\s+", " ")
                            .contains("not terminated: the transaction in which it was seen has ended."));
            tmux.keys("q");
            assertThat(tmux.awaitExit()).isZero();
        }
        assertThat(holder.value("select 1")).isEqualTo("1");
    }

    /** Keys that were meant for it come to the next one in its place: its victim, for one. */
    @Test
    void whoWasSelectedAndIsGoneIsNotMistakenForTheNextOne() {
        holder.execute("begin", "select * from orders");
        migration.execute("begin");
        Running altering = migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);
        web.start("select count(*) from orders");
        scenario.awaitBlockedBy(web, migration);
        try (Tmux tmux = watch()) {
            tmux.await("> pid " + holder.pid());
            holder.commit();
            altering.await();
            tmux.await("> pid " + migration.pid());
            tmux.keys("t", "y");
            tmux.await("pid " + holder.pid() + ", which was selected, is not here any more. Nothing was sent.");
            assertThat(migration.value("select 1")).isEqualTo("1");
            tmux.keys("t");
            tmux.await("Terminate pid " + migration.pid());
            tmux.keys("n");
            tmux.await("Nothing was sent.");
            migration.rollback();
            tmux.await("nobody waits for a lock");

            holder.execute("begin", "lock table orders");
            web.start("select count(*) from orders");
            scenario.awaitBlockedBy(web, holder);
            tmux.await("> pid " + holder.pid());
            tmux.keys("j", "c");
            tmux.await("Cancel the statement of pid " + web.pid());
            tmux.keys("n", "q");
            assertThat(tmux.awaitExit()).isZero();
        }
        holder.rollback();
    }

    @Test
    void whoCommitsSinceTheQuestionAndWaitsForAStandbyIsNotHit() throws Exception {
        try (PostgresServer own = PostgresServer.startEmbedded(
                        Map.of("synchronous_standby_names", "nobody", "synchronous_commit", "local"));
                Database shop = own.createDatabase();
                Connection looking = shop.connect();
                Connection writer = shop.connect("writer");
                Connection reader = shop.connect("reader")) {
            execute(looking, "create table orders (id int)");
            execute(writer, "set synchronous_commit = on; begin; insert into orders values (1); lock table orders");
            int pid = writer.unwrap(PGConnection.class).getBackendPID();
            CompletableFuture<Void> reading = elsewhere(reader, "select count(*) from orders");
            try (Tmux tmux = Tmux.start(Cli.on(shop), "watch", "--interval", "200ms")) {
                tmux.await("> pid " + pid);
                tmux.keys("t");
                tmux.await("y/[n]");
                CompletableFuture<Void> committing = elsewhere(writer, "commit");
                scenario.await("the commit to wait for a standby", () -> PromptTest.waitsForAStandby(looking, pid));
                tmux.keys("y");
                tmux.await(
                        "what came of it",
                        screen -> screen.replaceAll("\\s+", " ")
                                .contains("not terminated: it has committed and waits for a standby."));
                assertThat(PromptTest.waitsForAStandby(looking, pid)).isTrue();
                tmux.keys("c"); // now it is seen what it does, and meant
                tmux.await("y/[n]");
                tmux.keys("y");
                tmux.await("Cancelled the statement of pid " + pid);
                committing.get(30, TimeUnit.SECONDS);
                reading.get(30, TimeUnit.SECONDS);
                tmux.keys("q");
                assertThat(tmux.awaitExit()).isZero();
            }
        }
    }

    /** On a thread of its own: the common pool may have one, which the other statement waits on. */
    private static CompletableFuture<Void> elsewhere(Connection connection, String sql) {
        return CompletableFuture.runAsync(
                () -> execute(connection, sql), task -> new Thread(task, "elsewhere").start());
    }

    private static void execute(Connection connection, String sql) {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new AssertionError(sql + ": " + e.getMessage(), e);
        }
    }

    @Test
    void followsTheTerminalsSize() {
        readersBehindAMigrationBehindAnIdleTransaction();
        try (Tmux tmux = watch()) {
            tmux.await("2 waiting", "q quit");
            tmux.resize(60, 12);
            String small = tmux.await("the footer in the last line", screen -> {
                List<String> lines = screen.lines().toList();
                return lines.size() == 12 && lines.get(11).startsWith(" up/down select");
            });
            assertThat(small).contains("> pid " + holder.pid()).doesNotContain("q quit");
            tmux.resize(140, 30);
            tmux.await("the footer in the last line", screen -> {
                List<String> lines = screen.lines().toList();
                return lines.size() == 30 && lines.get(29).contains("q quit");
            });
            tmux.keys("q");
            assertThat(tmux.awaitExit()).isZero();
        }
    }

    @Test
    void ctrlCAndSigtermGiveTheTerminalBack() throws Exception {
        try (Tmux tmux = watch()) {
            tmux.await("nobody waits for a lock");
            tmux.keys("C-c");
            assertThat(tmux.awaitExit()).isEqualTo(130);
            assertIsAsItWas(tmux);
        }
        try (Tmux tmux = watch()) {
            tmux.await("nobody waits for a lock");
            assertThat(new ProcessBuilder("kill", Long.toString(tmux.pid()))
                            .start()
                            .waitFor())
                    .isZero();
            assertThat(tmux.awaitExit()).isEqualTo(143);
            assertIsAsItWas(tmux);
        }
    }

    @Test
    void saysThatTheServerWasLostOnTheTerminalAsItWas() {
        try (PostgresServer server = PostgresServer.startEmbedded(Map.of());
                Database lost = server.maintenance();
                Tmux tmux = Tmux.start(Cli.on(lost), "watch", "--interval", "200ms")) {
            tmux.await("nobody waits for a lock");
            server.crash();
            assertThat(tmux.awaitExit()).isEqualTo(69);
            assertIsAsItWas(tmux);
            assertThat(tmux.screen()).startsWith("pglock: ").doesNotContain("Exception", "\tat ");
        }
    }

    @Test
    void printsTheTreeAgainAndAgainWhereThereIsNoTerminal() {
        readersBehindAMigrationBehindAnIdleTransaction();

        List<String> lines = Cli.on(database)
                .run("watch", "--count", "2", "--interval", "100ms", "--on", "orders")
                .succeeded()
                .lines();

        assertThat(lines).hasSize(8);
        assertThat(lines.get(0)).matches("\\d\\d:\\d\\d:\\d\\d");
        assertThat(lines.get(4)).matches("\\d\\d:\\d\\d:\\d\\d");
        assertThat(lines.get(1)).startsWith("pid " + holder.pid() + " holder");
        assertThat(lines.get(7)).contains("└┄ pid " + web.pid());
    }

    @Test
    void aTerminalThatCannotMoveItsCursorIsPrintedOn() {
        try (Tmux tmux = Tmux.start(Cli.on(database).environment("TERM", "dumb"), "watch", "--interval", "100ms")) {
            tmux.await("several readings", screen -> {
                Matcher reading = Pattern.compile("\\d\\d:\\d\\d:\\d\\d nobody waits for a lock")
                        .matcher(screen);
                return reading.results().count() > 2;
            });
            tmux.keys("C-c");
            assertThat(tmux.awaitExit()).isEqualTo(130);
        }
    }

    @Test
    void refusesWhatIsNoInterval() {
        Cli.Ended wrong = Cli.on(database).run("watch", "--interval", "soon");
        assertThat(wrong.code()).isEqualTo(1);
        assertThat(wrong.err()).startsWith("pglock: --interval soon ").hasLineCount(1);
        Cli.Ended hasty = Cli.on(database).run("watch", "--interval", "1ms");
        assertThat(hasty.code()).isEqualTo(1);
        assertThat(hasty.err()).isEqualTo("pglock: --interval 1ms is too short; at least 100ms\n");
        Cli.Ended backwards = Cli.on(database).run("watch", "--count", "-1");
        assertThat(backwards.code()).isEqualTo(1);
        assertThat(backwards.err())
                .isEqualTo("pglock: --count -1 is not a number of times; write 10, or leave it out\n");
    }

    private void readersBehindAMigrationBehindAnIdleTransaction() {
        altering();
        web.start("select count(*) from orders");
        scenario.awaitBlockedBy(web, migration);
    }

    /** The migration waits for the holder, which idles in its transaction. */
    private Running altering() {
        holder.execute("begin", "select * from orders");
        Running altering = migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);
        return altering;
    }

    private Tmux watch() {
        return Tmux.start(Cli.on(database), "watch", "--interval", "200ms");
    }

    private static void assertIsAsItWas(Tmux tmux) {
        // a number that Linux stores and that means nothing: JLine does not keep it
        assertThat(tmux.settingsAfter().replaceFirst("line = \\d+", ""))
                .isEqualTo(tmux.settingsBefore().replaceFirst("line = \\d+", ""));
        assertThat(tmux.screen()).doesNotContain("waiting", "q quit");
    }
}
