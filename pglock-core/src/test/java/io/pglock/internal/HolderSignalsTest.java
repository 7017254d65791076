// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.pglock.PgLock;
import io.pglock.Signal;
import io.pglock.Signalled;
import io.pglock.Signalled.Outcome;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is checked in the statement that ends a holder for whom nobody waits in the queue any more. */
@PostgresTest
class HolderSignalsTest {

    private final Scenario scenario;
    private final DataSource dataSource;
    private final Session holder;
    private final Session waiter;

    HolderSignalsTest(Scenario scenario, DataSource dataSource) {
        this.scenario = scenario;
        this.dataSource = dataSource;
        this.holder = scenario.session("holder");
        this.waiter = scenario.session("waiter");
    }

    @BeforeEach
    void held() {
        holder.execute("drop table if exists orders", "create table orders (id int)");
    }

    /** The holder as it was seen while the waiter waited for it, which it does no more. */
    private Sighting seen(String wanted) throws SQLException, SideConnection.Unusable {
        long start = PgSession.of(waiter.connection()).facts().start();
        Running waiting = waiter.start("begin", wanted);
        scenario.awaitBlocked(waiter.pid());
        try (SideConnection side = SideConnection.of(PgSession.of(dataSource.getConnection()), () -> {})) {
            Sighting seen = side.look(Map.of(waiter.pid(), start)).get(0);
            assertThat(side.holders(List.of(seen.held().orElseThrow()), seen.waiter())
                            .orElseThrow())
                    .contains(seen.held().orElseThrow());
            return seen;
        } finally {
            waiter.cancel();
            waiting.awaitFailure();
            waiter.rollback();
        }
    }

    /** Its workers have virtual transactions of their own, which end with the query; its own goes on. */
    @Test
    void whoRanAParallelQueryHoldsOnWhenItsWorkersAreDone() throws Exception {
        waiter.execute("insert into orders values (1)");
        Session report = lastByItsVirtualTransaction();
        report.execute("select set_config(name, 'on', false) from pg_settings where name in ('force_parallel_mode',"
                + " 'debug_parallel_query')");
        report.begin();
        report.execute("select count(*) from orders", "savepoint before");
        String own = virtualTransaction(report);
        Running query = report.start("select pg_sleep(300) from orders");
        Session looking = scenario.session("looking");
        scenario.await("a parallel worker", () -> !workers(looking).isEmpty());
        assumeThat(workers(looking).get(0)).as("what this is about").isLessThan(own);

        Sighting seen = seen("lock table orders");
        report.cancel();
        query.awaitFailure();
        report.execute("rollback to savepoint before");

        assertThat(workers(looking)).isEmpty();
        assertThat(seen.held().orElseThrow().within()).isEqualTo(own);
        assertThat(stillHeld(seen)).isTrue();
        report.commit();
    }

    /** One whose virtual transactions come after any worker's as texts: 5/2 after 407/2. Servers hand the numbers out in turn. */
    private Session lastByItsVirtualTransaction() {
        Session last = IntStream.range(0, 10)
                .mapToObj(i -> scenario.session("session " + i))
                .max(Comparator.comparing(HolderSignalsTest::virtualTransaction))
                .orElseThrow();
        for (int i = 0; i < 500 && virtualTransaction(last).compareTo("5") < 0; i++) {
            last.close();
            last = scenario.session("last");
        }
        return last;
    }

    private static String virtualTransaction(Session session) {
        return session.value(
                "select virtualtransaction from pg_locks where locktype = 'virtualxid' and pid = pg_backend_pid()");
    }

    /** PostgreSQL 10 calls them background workers. */
    private static List<String> workers(Session looking) {
        return looking.execute(
                "select distinct l.virtualtransaction from pg_locks l, pg_stat_activity a where l.pid = a.pid"
                        + " and a.backend_type in ('parallel worker', 'background worker')"
                        + " and l.relation = 'orders'::regclass");
    }

    private Signalled terminate(Sighting seen, Spared spared) throws SQLException {
        try (Connection side = dataSource.getConnection()) {
            return Signals.toHolder(
                    side, Signal.TERMINATE, seen.backend(), seen.held().orElseThrow(), spared);
        }
    }

    private boolean stillHeld(Sighting seen) throws SQLException, SideConnection.Unusable {
        try (SideConnection side = SideConnection.of(PgSession.of(dataSource.getConnection()), () -> {})) {
            Sighting.Held held = seen.held().orElseThrow();
            return side.holders(List.of(held), seen.waiter()).orElseThrow().contains(held);
        }
    }

    private void isSpared(Sighting seen, Spared spared, Outcome outcome, String why) throws SQLException {
        Signalled done = terminate(seen, spared);
        assertThat(done.outcome()).isEqualTo(outcome);
        assertThat(done.detail()).endsWith(" not terminated: " + why + ".");
        assertThat(holder.execute("select 1")).containsExactly("1");
    }

    @Test
    void endsOneThatHoldsOn() throws Exception {
        holder.execute("begin", "lock table orders in share mode");
        Sighting seen = seen("lock table orders in row exclusive mode");

        assertThat(terminate(seen, SignalsTest.NOBODY).sent()).isTrue();

        scenario.awaitGone(holder.pid());
    }

    /** The lock of the first in line is no lock on the row: what is remembered is the transaction that has it. */
    @Test
    void endsOneThatHoldsOnToARowForWhichOthersQueue() throws Exception {
        waiter.execute("insert into orders values (1)");
        holder.execute("begin", "update orders set id = 2");
        Session first = scenario.session("first");
        Running updating = first.start("update orders set id = 3");
        scenario.awaitBlockedBy(first, holder);
        Sighting seen = seen("update orders set id = 4");

        assertThat(seen.backend().pid()).isEqualTo(holder.pid());
        assertThat(stillHeld(seen)).isTrue();
        assertThat(terminate(seen, SignalsTest.NOBODY).sent()).isTrue();

        scenario.awaitGone(holder.pid());
        updating.await();
        assertThat(stillHeld(seen)).isFalse();
    }

    @Test
    void sparesOneThatHasBegunAnotherTransaction() throws Exception {
        holder.execute("begin", "lock table orders in share mode");
        Sighting seen = seen("lock table orders in row exclusive mode");
        holder.execute("commit", "begin", "lock table orders in share mode");

        assertThat(stillHeld(seen)).isFalse();
        isSpared(seen, SignalsTest.NOBODY, Outcome.GONE, "the transaction in which it was seen has ended");
        holder.rollback();
    }

    @Test
    void sparesOneThatHasGoneBackToASavepoint() throws Exception {
        holder.execute("begin", "savepoint before", "lock table orders in share mode");
        Sighting seen = seen("lock table orders in row exclusive mode");
        holder.execute("rollback to savepoint before");

        assertThat(stillHeld(seen)).isFalse();
        isSpared(seen, SignalsTest.NOBODY, Outcome.GONE, "it blocks no more");
        holder.rollback();
    }

    @Test
    void sparesOneThatKeepsOnlyALockInAModeThatIsInNobodysWay() throws Exception {
        holder.execute("begin", "select * from orders", "savepoint before", "lock table orders in share mode");
        Sighting seen = seen("lock table orders in row exclusive mode");
        holder.execute("rollback to savepoint before");

        assertThat(stillHeld(seen)).isFalse();
        isSpared(seen, SignalsTest.NOBODY, Outcome.GONE, "it blocks no more");
        holder.rollback();
    }

    @Test
    void sparesWhomTheNamesAndThePidsSay() throws Exception {
        holder.execute("begin", "lock table orders in share mode");
        Sighting seen = seen("lock table orders in row exclusive mode");

        isSpared(seen, new Spared(Set.of("holder"), Set.of()), Outcome.SPARED, "it is protected");
        isSpared(seen, new Spared(Set.of(), Set.of(holder.pid())), Outcome.SPARED, "it belongs to this JVM's own work");
        holder.rollback();
    }

    @Test
    void sparesAnotherGuardedMigration() throws Exception {
        try (var scope = PgLock.on(holder.connection())
                .prioritize(dataSource)
                .every(Duration.ofMillis(10))
                .requireSideConnection()
                .start()) {
            holder.execute("begin", "lock table orders in share mode");
            Sighting seen = seen("lock table orders in row exclusive mode");

            isSpared(seen, SignalsTest.NOBODY, Outcome.SPARED, "it is another migration that pglock guards");
            holder.rollback();
            assertThat(scope.warnings()).isEmpty();
        }
    }

    @Test
    void aSessionsAdvisoryLockIsHeldAcrossItsTransactions() throws Exception {
        holder.execute("select pg_advisory_lock(1)");
        Sighting seen = seen("select pg_advisory_xact_lock(1)");
        holder.execute("begin", "select 1", "commit");
        assertThat(stillHeld(seen)).isTrue();

        holder.execute("select pg_advisory_unlock(1)");
        assertThat(stillHeld(seen)).isFalse();
        isSpared(seen, SignalsTest.NOBODY, Outcome.GONE, "it blocks no more");
    }
}
