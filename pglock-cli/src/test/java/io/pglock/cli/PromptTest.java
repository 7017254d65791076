// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.QueueScene;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/** Somebody thinks before he answers, and the world goes on. In a terminal. */
class PromptTest extends QueueScene {

    private final Database database;

    PromptTest(Scenario scenario) {
        super(scenario);
        this.database = scenario.database();
    }

    private String server() {
        return database.server().host() + ":" + database.server().port();
    }

    /** django-pglock asks its question about a number, and then ends whoever matches by the time of the answer. */
    @Test
    void whoHasGoneOnToAnotherTransactionMeanwhileIsNotHitAndThatIsSaid() {
        holder.execute("begin", "select * from orders");
        try (Tmux tmux = Tmux.start(Cli.on(database), "terminate", "--on", "orders")) {
            tmux.await("Terminate 1 session on " + server(), "? (y/[n])");
            holder.commit();
            holder.execute("begin", "select * from orders");
            web.execute("begin", "select * from orders");
            tmux.keys("y", "Enter");
            assertThat(tmux.awaitExit()).isZero();
            assertThat(tmux.text())
                    .contains("not terminated: the transaction in")
                    .doesNotContain("Terminated pid");
        }
        assertThat(holder.value("select 1")).isEqualTo("1");
        assertThat(web.value("select 1")).isEqualTo("1");
    }

    /** A session's own lock is held in no transaction, so the transaction does not say that it is gone. */
    @Test
    void whoHasGivenBackALockOfItsSessionMeanwhileIsNotHitAndThatIsSaid() {
        holder.execute("select pg_advisory_lock(77)", "select pg_advisory_lock(78)");
        try (Tmux tmux = Tmux.start(Cli.on(database), "terminate", "-f", "key=77")) {
            tmux.await("Terminate 1 session on " + server(), "? (y/[n])");
            holder.execute("select pg_advisory_unlock(77)");
            tmux.keys("y", "Enter");
            assertThat(tmux.awaitExit()).isZero();
            assertThat(tmux.text())
                    .contains("left alone, it has none of these locks any more")
                    .doesNotContain("Terminated pid");
        }
        assertThat(holder.value("select 1")).isEqualTo("1");
        try (Tmux tmux = Tmux.start(Cli.on(database), "terminate", "-f", "key=78")) {
            tmux.await("Terminate 1 session on " + server(), "? (y/[n])");
            tmux.keys("y", "Enter");
            assertThat(tmux.awaitExit()).isZero();
            assertThat(tmux.text()).contains("Terminated pid " + holder.pid());
        }
        scenario.awaitGone(holder.pid());
    }

    @Test
    void aBlockerThatHasLetGoMeanwhileIsNotHitAndThatIsSaid() {
        holder.execute("begin", "select * from orders");
        Running altering = migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);
        try (Tmux tmux = Tmux.start(Cli.on(database), "terminate", "--blocking", Integer.toString(migration.pid()))) {
            tmux.await("Terminate 1 session on " + server(), "? (y/[n])");
            holder.commit();
            altering.await();
            tmux.keys("y", "Enter");
            assertThat(tmux.awaitExit()).isZero();
            assertThat(tmux.text()).contains("not terminated: ");
        }
        assertThat(holder.value("select 1")).isEqualTo("1");
    }

    @Test
    void whoIsStillThereIsHit() {
        holder.execute("begin", "select * from orders");
        migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);
        try (Tmux tmux = Tmux.start(Cli.on(database), "terminate", "--blocking", Integer.toString(migration.pid()))) {
            tmux.await("Terminate 1 session on " + server(), "? (y/[n])");
            tmux.keys("yes", "Enter");
            assertThat(tmux.awaitExit()).isZero();
            assertThat(tmux.text()).contains("Terminated pid " + holder.pid() + " (holder");
        }
        scenario.awaitGone(holder.pid());
    }

    /** A signal ends that wait: the server then calls committed what its standby does not have. */
    @Test
    void whoHasCommittedMeanwhileAndWaitsForAStandbyIsNotHitAndThatIsSaid() throws Exception {
        try (PostgresServer own = PostgresServer.startEmbedded(
                        Map.of("synchronous_standby_names", "nobody", "synchronous_commit", "local"));
                Database shop = own.createDatabase();
                Connection looking = shop.connect();
                Connection web = shop.connect("web")) {
            execute(looking, "create table orders (id int)");
            execute(web, "set synchronous_commit = on; begin; insert into orders values (1)");
            int pid = web.unwrap(PGConnection.class).getBackendPID();
            try (Tmux tmux = Tmux.start(Cli.on(shop), "terminate", "--on", "orders")) {
                tmux.await("Terminate 1 session on ", "? (y/[n])");
                CompletableFuture<Void> committing = CompletableFuture.runAsync(() -> execute(web, "commit"));
                scenario.await("the commit to wait for a standby", () -> waitsForAStandby(looking, pid));
                tmux.keys("y", "Enter");
                assertThat(tmux.awaitExit()).isEqualTo(1);
                assertThat(tmux.text())
                        .contains("pid " + pid + " (web")
                        .contains("not terminated: it has committed and waits for a standby")
                        .doesNotContain("Terminated pid");
                assertThat(waitsForAStandby(looking, pid)).isTrue();

                Cli.Ended named = Cli.on(shop).run("cancel", "-y", Integer.toString(pid)); // as is said, that hits it
                assertThat(named.code()).as(named.toString()).isZero();
                committing.get(30, TimeUnit.SECONDS);
            }
        }
    }

    /** Whether it has committed, and hangs there. */
    static boolean waitsForAStandby(Connection looking, int pid) throws SQLException {
        try (Statement statement = looking.createStatement();
                ResultSet row = statement.executeQuery(
                        "select from pg_stat_activity where wait_event = 'SyncRep' and pid = " + pid)) {
            return row.next();
        }
    }

    private static void execute(Connection connection, String sql) {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new AssertionError(sql + ": " + e.getMessage(), e);
        }
    }

    @Test
    void ctrlCIsANo() {
        holder.execute("begin", "select * from orders");
        try (Tmux tmux = Tmux.start(Cli.on(database), "terminate", "--on", "orders")) {
            tmux.await("Terminate 1 session on " + server(), "? (y/[n])");
            tmux.keys("C-c");
            assertThat(tmux.awaitExit()).isEqualTo(130);
        }
        assertThat(holder.value("select 1")).isEqualTo("1");
    }
}
