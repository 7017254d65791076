// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.Signalled.Outcome;
import io.pglock.internal.OwnSessions;
import io.pglock.internal.PgSession;
import io.pglock.internal.Signals;
import io.pglock.internal.Spared;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.Role;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;

/** Who is never signalled, however long the guarded session waits. */
class PrioritizeSparesTest extends PrioritizeScene {

    PrioritizeSparesTest(Scenario scenario, DataSource dataSource) {
        super(scenario, dataSource);
    }

    /** Waits behind this session with everything set to terminate it, and proves that nothing was sent to it. */
    private SeenBlocker blockedInVainBy(Session holder, Prioritize request, Session migration, Runnable letGo) {
        return blockedInVainBy(holder, request, migration, ALTER, letGo);
    }

    private SeenBlocker blockedInVainBy(
            Session holder, Prioritize request, Session migration, String work, Runnable letGo) {
        try (PriorityScope scope = request.start()) {
            Running altering = migration.start(work);
            scenario.await("the blocker is seen", () -> seen(scope, holder).isPresent());
            awaitMoreLooks(scope, holder);
            awaitMoreLooks(scope, holder);
            assertThat(sentTo(scope)).isEmpty();
            SeenBlocker blocker = seen(scope, holder).orElseThrow();
            letGo.run();
            altering.await();
            return blocker;
        }
    }

    /** django-pglock terminated the blocker's blocker together with the blocker. */
    @Test
    void sparesABlockersBlocker() {
        Session root = scenario.session("root");
        root.begin();
        root.execute("select pg_advisory_xact_lock(1)");
        Session middle = scenario.session("middle");
        middle.begin();
        middle.execute("select pg_advisory_xact_lock(2)");
        Running waiting = middle.start("select pg_advisory_xact_lock(1)");
        scenario.awaitBlockedBy(middle, root);
        Session migration = scenario.session("migration");
        migration.begin();
        try (PriorityScope scope = quickly(migration).terminate().start()) {
            migration.execute("select pg_advisory_xact_lock(2)");
            assertThat(sentTo(scope)).containsOnly(middle.pid());
            assertThat(seen(scope, root)).isEmpty();
        }
        assertThat(waiting.awaitFailure().getSQLState()).isIn("57014", "57P01");
        assertThat(isAlive(root)).isTrue();
        migration.rollback();
    }

    /** django-pglock terminated three innocent queries together with the holder. */
    @Test
    void sparesASessionThatIsMerelyQueuedAhead() {
        Session holder = idleInTransaction("holder");
        Session queued = scenario.session("queued");
        queued.begin();
        Running ahead = queued.start("lock table orders in access exclusive mode");
        scenario.awaitBlockedBy(queued, holder);
        Session migration = scenario.session("migration");
        try (PriorityScope scope =
                quickly(migration).terminate().protect("holder").start()) {
            Running altering = migration.start(ALTER);
            scenario.await(
                    "the queued session is seen", () -> seen(scope, queued).isPresent());
            awaitMoreLooks(scope, queued);
            assertThat(seen(scope, queued).orElseThrow().hard()).isFalse();
            assertThat(seen(scope, queued).orElseThrow().describe()).contains("which waits ahead in the queue");
            assertThat(seen(scope, holder).orElseThrow().hard()).isTrue();
            assertThat(scope.actions()).isEmpty();
            holder.commit();
            ahead.await();
            queued.commit();
            altering.await();
        }
    }

    @Test
    void sparesAProtectedApplication() {
        Session holder = idleInTransaction("pg_dump");
        Session migration = scenario.session("migration");
        SeenBlocker blocker = blockedInVainBy(holder, quickly(migration).terminate(), migration, holder::commit);
        assertThat(blocker.spared()).contains("it is protected");
    }

    /** The server shows the bytes of some letters as ? or \\xc3, and no more than 63 of them. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "nightly report",
                "Lohnbüro",
                "tab\tname",
                "夜間バッチ処理サーバー",
                "a name so long that the server does not show all of what it was given",
                "as long as the server allows, or it would be but for a letter ü",
                "Änderungsprotokoll der Lohnbüroübertragung für größere Beträge und Überstunden"
            })
    void sparesAProtectedApplicationWhateverTheServerMakesOfItsName(String name) {
        Session holder = idleInTransaction(name);
        Session migration = scenario.session("migration");
        SeenBlocker blocker =
                blockedInVainBy(holder, quickly(migration).terminate().protect(name), migration, holder::commit);
        assertThat(blocker.spared()).contains("it is protected");
    }

    @Test
    void sparesAProtectedRole() throws SQLException {
        Role nightly = scenario.role("nightly", "select on orders");
        Session migration = scenario.session("migration");
        try (Connection holder = scenario.connectAs(nightly);
                PriorityScope scope =
                        quickly(migration).terminate().protect(nightly.name()).start()) {
            holder.setAutoCommit(false);
            holder.createStatement().execute("select count(*) from orders");
            Running altering = migration.start(ALTER);
            scenario.await(
                    "the blocker is spared",
                    () -> scope.blockers().stream()
                            .anyMatch(each ->
                                    each.spared().isPresent() && each.waited().toMillis() > 150));
            assertThat(scope.actions()).isEmpty();
            holder.rollback();
            altering.await();
        }
    }

    @Test
    void protectsOnlyWhomItIsToldToWhenTheDefaultsAreReplaced() {
        Session holder = idleInTransaction("pg_dump");
        Session migration = scenario.session("migration");
        try (PriorityScope scope =
                quickly(migration).terminate().protectOnly(List.of()).start()) {
            migration.execute(ALTER);
            assertThat(sentTo(scope)).containsExactly(holder.pid());
        }
    }

    @Test
    void sparesWhomAFilterSpares() {
        Session holder = idleInTransaction("holder");
        Session migration = scenario.session("migration");
        SeenBlocker blocker = blockedInVainBy(
                holder,
                quickly(migration).terminate().only(each -> each.backend().pid() != holder.pid()),
                migration,
                holder::commit);
        assertThat(blocker.spared()).contains("a filter spares it");
    }

    @Test
    void sparesAnotherSessionThatIsGuardedInThisJvm() {
        Session other = idleInTransaction("other migration");
        Session migration = scenario.session("migration");
        try (PriorityScope theirs = PgLock.on(other.connection())
                .prioritize(dataSource)
                .every(Duration.ofHours(1)) // never looks, so that it is not marked on the server
                .start()) {
            SeenBlocker blocker = blockedInVainBy(other, quickly(migration).terminate(), migration, other::commit);
            assertThat(blocker.spared()).contains("it belongs to this JVM's own work");
            assertThat(theirs.warnings()).isEmpty();
        }
    }

    @Test
    void sparesTheHostsOwnConnection() throws SQLException {
        Session history = idleInTransaction("history");
        Session migration = scenario.session("migration");
        try (var registered =
                OwnSessions.register(PgSession.of(history.connection()).facts())) {
            blockedInVainBy(history, quickly(migration).terminate(), migration, history::commit);
            assertThat(registered).isNotNull();
        }
        assertThat(OwnSessions.pids(PgSession.of(history.connection()).facts().serverStart()))
                .doesNotContain(history.pid());
    }

    @Test
    void sparesASessionThatIsGuardedInAnotherJvm() {
        Session other = idleInTransaction("other migration");
        Session theirSide = scenario.session("their side connection");
        theirSide.execute("select pg_advisory_lock_shared(1885826155, " + other.pid() + ")");
        Session migration = scenario.session("migration");
        SeenBlocker blocker = blockedInVainBy(other, quickly(migration).terminate(), migration, other::commit);
        assertThat(blocker.spared()).contains("another migration that pglock guards");
    }

    @Test
    void tellsOtherJvmsWhoIsGuarded() {
        Session migration = scenario.session("migration");
        String marks =
                "select objid from pg_locks where locktype = 'advisory' and classid = 1885826155 and objsubid = 2";
        Session observer = scenario.session("observer");
        try (PriorityScope scope = quickly(migration).start()) {
            scenario.await("the mark", () -> observer.execute(marks).equals(List.of(String.valueOf(migration.pid()))));
            assertThat(scope.warnings()).isEmpty();
        }
        assertThat(observer.execute(marks)).isEmpty();
    }

    /** Flyway's key is 77431708279161 plus the hash of its table's name. */
    @Test
    void sparesAFlywayHistoryConnection() {
        Session flyway = scenario.session("flyway");
        flyway.execute("select pg_advisory_lock(77431708279161 + " + "flyway_schema_history".hashCode() + ")");
        flyway.begin();
        flyway.execute("select count(*) from orders");
        Session migration = scenario.session("migration");
        SeenBlocker blocker = blockedInVainBy(flyway, quickly(migration).terminate(), migration, flyway::commit);
        assertThat(blocker.spared()).contains("it holds Flyway's history lock");
    }

    /** Also where a backslash in a text means something else to the side connection's session. */
    @ParameterizedTest
    @ValueSource(strings = {"on", "off"})
    void sparesAnotherFlywayThatWaits(String standardConformingStrings) {
        String lock = "SELECT pg_try_advisory_lock(" + (77431708279161L + "flyway_schema_history".hashCode()) + ")";
        scenario.session("flyway").execute(lock);
        Session second = idleInTransaction("second flyway");
        second.execute(lock);
        Session migration = scenario.session("migration");
        HandingOut side = new HandingOut(() -> {
            Connection connection = dataSource.getConnection();
            try (var statement = connection.createStatement()) {
                statement.execute("set standard_conforming_strings = " + standardConformingStrings);
            }
            return connection;
        });
        SeenBlocker blocker = blockedInVainBy(second, quickly(migration, side).terminate(), migration, second::commit);
        assertThat(blocker.spared().orElseThrow()).startsWith("another Flyway that waits");
    }

    /** In another JVM, idle between two pings: to end it for one key would take all the others along, and work is done under them. */
    @ParameterizedTest
    @ValueSource(strings = {"pglock", "nightly pglock"})
    void sparesTheSessionOfALockClient(String name) {
        Session client = scenario.session(name);
        client.execute("select pg_advisory_lock(7), pg_advisory_lock(8)");
        Session migration = scenario.session("migration");
        migration.begin();
        SeenBlocker blocker = blockedInVainBy(
                client,
                quickly(migration).terminate(),
                migration,
                "select pg_advisory_xact_lock(7)",
                () -> client.execute("select pg_advisory_unlock(7)"));
        assertThat(blocker.describe())
                .contains("blocked by pid " + client.pid() + " (" + name + ", ")
                .endsWith("(never signalled: it is the session of a LockClient, with all locks of that application)");
        assertThat(isAlive(client)).isTrue();
        migration.rollback();
    }

    @ParameterizedTest
    @ValueSource(strings = {"nightly", "mypglock", "pglock nightly"})
    void endsWhoeverElseHoldsAnAdvisoryLock(String name) {
        Session holder = scenario.session(name);
        holder.execute("select pg_advisory_lock(7)");
        Session migration = scenario.session("migration");
        migration.begin();
        try (PriorityScope scope = quickly(migration).terminate().start()) {
            migration.execute("select pg_advisory_xact_lock(7)");
            assertThat(sentTo(scope)).containsExactly(holder.pid());
        }
        migration.rollback();
    }

    /** As {@code pglock trace} and {@code pglock sql} are, which have the same name and are no client. */
    @Test
    void endsASessionOfTheCommandThatHoldsATable() {
        Session command = idleInTransaction("pglock");
        Session migration = scenario.session("migration");
        try (PriorityScope scope = quickly(migration).terminate().start()) {
            migration.execute(ALTER);
            assertThat(sentTo(scope)).containsExactly(command.pid());
        }
    }

    /** A cancel remembered from one of its transactions would be followed by a terminate in another. */
    @Test
    void sparesASessionOfWhichTheServerDoesNotSayInWhichTransactionItIs() {
        Session holder = scenario.session("holder");
        holder.execute("set track_activities = off");
        holder.begin();
        holder.execute("select count(*) from orders");
        Session migration = scenario.session("migration");
        SeenBlocker blocker = blockedInVainBy(holder, quickly(migration).terminate(), migration, holder::commit);
        assertThat(blocker.spared().orElseThrow()).startsWith("its track_activities is off");
    }

    /** A signal ends that wait: the server then calls committed what its standby does not have, and it may be lost with the server. */
    @Test
    void sparesWhoHasCommittedAndWaitsForAStandby() throws Exception {
        Map<String, String> settings = Map.of("synchronous_standby_names", "nobody", "synchronous_commit", "local");
        try (PostgresServer server = PostgresServer.startEmbedded(settings);
                Database database = server.createDatabase();
                Connection looking = database.connect();
                Connection web = database.connect("web");
                Connection migration = database.connect("migration")) {
            Held.execute(looking, "create table orders (id int)");
            Held.execute(web, "set synchronous_commit = on; begin; insert into orders values (1)");
            CompletableFuture<Void> committing = executing(web, "commit");
            int pid = pid(web);
            scenario.await(
                    "the commit to wait for a standby",
                    () -> Held.column(looking, "select wait_event from pg_stat_activity where pid = " + pid)
                            .contains("SyncRep"));
            try (PriorityScope scope = PgLock.on(migration)
                    .prioritize(database.dataSource())
                    .every(Duration.ofMillis(10))
                    .after(Duration.ofMillis(50))
                    .grace(Duration.ofMillis(50))
                    .terminate()
                    .start()) {
                CompletableFuture<Void> altering = executing(migration, ALTER);
                scenario.await(
                        "the blocker to be seen for longer than it takes",
                        () -> scope.blockers().stream()
                                .anyMatch(seen -> seen.waited().toMillis() > 300));
                assertThat(scope.actions()).isEmpty();
                assertThat(scope.blockers()).singleElement().satisfies(seen -> {
                    assertThat(seen.hard()).isTrue();
                    assertThat(seen.describe())
                            .contains("blocked by pid " + pid + " (web, active for ")
                            .endsWith("(never signalled: it has committed and waits for a standby)");
                });
                Backend seen = scope.blockers().get(0).backend();
                Spared nobody = new Spared(Set.of(), Set.of());
                for (Signal signal : Signal.values()) {
                    Signalled done = Signals.toBlocker(looking, signal, seen, pid(migration), nobody);
                    assertThat(done.outcome()).isEqualTo(Outcome.SPARED);
                    assertThat(done.detail()).endsWith(": it has committed and waits for a standby.");
                    assertThat(
                                    signal == Signal.CANCEL
                                            ? LockQuery.on(looking).pid(pid).cancel()
                                            : LockQuery.on(looking).pid(pid).terminate())
                            .extracting(Signalled::outcome)
                            .containsOnly(Outcome.SPARED);
                }
                Held.execute(looking, "select pg_cancel_backend(" + pid + ")"); // what is never to be sent
                committing.get(30, TimeUnit.SECONDS);
                altering.get(30, TimeUnit.SECONDS);
            }
        }
    }

    /** On a thread of its own: the common pool may have one, on which somebody else's statement waits. */
    private static CompletableFuture<Void> executing(Connection connection, String sql) {
        return CompletableFuture.runAsync(
                () -> {
                    try {
                        Held.execute(connection, sql);
                    } catch (SQLException e) {
                        throw new CompletionException(e);
                    }
                },
                task -> new Thread(task, "executing").start());
    }

    private static int pid(Connection connection) throws SQLException {
        return connection.unwrap(PGConnection.class).getBackendPID();
    }

    @Test
    void sparesABlockerWhoseTransactionIsTooYoung() {
        Session holder = idleInTransaction("holder");
        Session migration = scenario.session("migration");
        blockedInVainBy(holder, quickly(migration).terminate().minAge(Duration.ofHours(1)), migration, holder::commit);
    }

    /** django-pglock took pid 0 for handled, and timed out in silence. */
    @Test
    void reportsAPreparedTransactionWithItsRemedy() {
        scenario.assumePreparedTransactions();
        Session web = scenario.session("web");
        web.begin();
        web.execute("update orders set note = 'p'", "prepare transaction 'it''s \"prepared\"'");
        Session migration = scenario.session("migration");
        try (PriorityScope scope = quickly(migration).terminate().start()) {
            Running altering = migration.start(ALTER);
            scenario.await(
                    "the prepared transaction is seen", () -> !scope.blockers().isEmpty());
            SeenBlocker blocker = scope.blockers().get(0);
            web.execute("rollback prepared 'it''s \"prepared\"'");
            altering.await();
            assertThat(blocker.hard()).isTrue();
            assertThat(blocker.backend().isPreparedTransaction()).isTrue();
            assertThat(blocker.describe()).contains("ROLLBACK PREPARED 'it''s \"prepared\"'");
            assertThat(scope.actions()).isEmpty();
        }
    }

    /** A session of a role that ours may see, and may not signal. */
    @Test
    void saysWhichGrantIsMissingAndTriesOnlyOnce() throws SQLException {
        Session holder = scenario.session("holder");
        Role weak = scenario.role("weak", "pg_read_all_stats");
        holder.begin();
        holder.execute("lock table orders");
        Session migration = scenario.session("migration");
        try (PriorityScope scope = quickly(migration, new HandingOut(() -> scenario.connectAs(weak)))
                .terminate()
                .grace(Duration.ZERO)
                .start()) {
            Running altering = migration.start(ALTER);
            scenario.await("the refusal", () -> !scope.actions().isEmpty());
            awaitMoreLooks(scope, holder);
            holder.commit();
            altering.await();
            assertThat(scope.actions()).singleElement().satisfies(done -> {
                assertThat(done.outcome()).isEqualTo(Outcome.NOT_PERMITTED);
                assertThat(done.detail()).contains("pid " + holder.pid(), "not terminated: ");
            });
        }
    }

    @Test
    void signalsNobodyWhoseDetailsAreHidden() throws SQLException {
        Session holder = idleInTransaction("holder");
        Role weak = scenario.role("weak", "pg_signal_backend");
        Session migration = scenario.session("migration");
        try (PriorityScope scope = quickly(migration, new HandingOut(() -> scenario.connectAs(weak)))
                .terminate()
                .start()) {
            Running altering = migration.start(ALTER);
            scenario.await("the refusal", () -> !scope.actions().isEmpty());
            holder.commit();
            altering.await();
            assertThat(scope.actions()).singleElement().satisfies(done -> {
                assertThat(done.outcome()).isEqualTo(Outcome.NOT_PERMITTED);
                assertThat(done.detail()).contains("GRANT pg_read_all_stats, pg_signal_backend TO " + weak.name());
            });
        }
    }
}
