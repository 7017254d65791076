// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whom {@link LockQuery#blocked} names is whom pg_blocking_pids names (and who holds a row), and hard is who holds a conflicting lock. */
@PostgresTest
class LockEdgesTest {

    private final Scenario scenario;
    private final Connection mine;
    private final Session holder;
    private final Session waiter;
    private final Session late;

    LockEdgesTest(Scenario scenario, Connection mine) {
        this.scenario = scenario;
        this.mine = mine;
        this.holder = scenario.session("holder");
        this.waiter = scenario.session("waiter");
        this.late = scenario.session("late");
    }

    @BeforeEach
    void tables() {
        holder.execute(
                "drop table if exists t, u",
                "create table t (id int primary key, note text)",
                "create table u (id int)",
                "insert into t select i, 'note' from generate_series(1, 10) i");
    }

    @Test
    void aTableLock() {
        holder.execute("begin", "select * from t");
        waiter.start("alter table t add x int");
        scenario.awaitBlockedBy(waiter, holder);

        BlockedLock wait = edges(waiter).get(0);
        assertThat(wait.waiting().target().describe()).isEqualTo("t");
        assertThat(wait.waiting().mode()).isEqualTo(LockMode.ACCESS_EXCLUSIVE);
        assertThat(hard(waiter)).containsExactly(holder.pid());
        assertThat(wait.hardBlockers().get(0).holds())
                .extracting(LockInfo::mode)
                .containsExactly(LockMode.ACCESS_SHARE);
    }

    @Test
    void whoIsMerelyQueuedAheadIsNotHard() {
        holder.execute("begin", "select * from t");
        waiter.start("begin", "lock table t");
        scenario.awaitBlocked(waiter);
        late.start("select * from t");
        scenario.awaitBlockedBy(late, waiter);

        edges(waiter, late);
        assertThat(hard(waiter)).containsExactly(holder.pid());
        assertThat(hard(late)).isEmpty();
        assertThat(blockedLock(late).blockers())
                .singleElement()
                .satisfies(ahead -> assertThat(ahead.describe()).endsWith(", which is queued ahead"));
    }

    @Test
    void whoHoldsAWeakerLockAndIsNotInConflictIsNotInTheWay() {
        late.execute("begin", "select * from t where id = 2");
        holder.execute("begin", "lock table t in share mode");
        waiter.start("insert into t values (11, '')");
        scenario.awaitBlockedBy(waiter, holder);

        edges(waiter);
        assertThat(hard(waiter)).containsExactly(holder.pid());
    }

    @Test
    void aRow() {
        holder.execute("begin", "update t set note = 'mine' where id = 7");
        waiter.start("update t set note = 'no, mine' where id = 7");
        scenario.awaitBlockedBy(waiter, holder);

        LockInfo waiting = edges(waiter).get(0).waiting();
        assertThat(waiting.target().type()).isEqualTo(LockTarget.Type.TRANSACTIONID);
        assertThat(waiting.target().relation()).contains("t");
        assertThat(waiting.target().ctid()).contains("(0,7)");
        assertThat(waiting.target().describe()).matches("transaction \\d+ \\(row \\(0,7\\) of t\\)");
        assertThat(hard(waiter)).containsExactly(holder.pid());
    }

    @Test
    void theQueueForARow() {
        holder.execute("begin", "update t set note = 'mine' where id = 7");
        waiter.start("update t set note = 'second' where id = 7");
        scenario.awaitBlockedBy(waiter, holder);
        late.start("update t set note = 'third' where id = 7");
        scenario.awaitBlockedBy(late, waiter);

        assertThat(blockedLock(late).waiting().target().describe()).isEqualTo("row (0,7) of t");
        assertThat(scenario.pidsBlocking(late)).containsExactly(waiter.pid());
        assertThat(pids(blockedLock(late).blockers())).containsExactlyInAnyOrder(holder.pid(), waiter.pid());
        assertThat(hard(late)).containsExactly(holder.pid());
        assertThat(hard(waiter)).containsExactly(holder.pid());
    }

    @Test
    void advisoryLocksOfEveryKindOfKey() {
        for (LockKey key : List.of(
                LockKey.of(42), LockKey.of(-42), LockKey.of(Long.MAX_VALUE), LockKey.of(7, -9), LockKey.of(0))) {
            String arguments = key.isPair() ? key.first() + ", " + key.second() : Long.toString(key.number());
            holder.execute("begin", "select pg_advisory_xact_lock(" + arguments + ")");
            var waiting = waiter.start("select pg_advisory_xact_lock(" + arguments + ")");
            scenario.awaitBlockedBy(waiter, holder);

            LockInfo info = edges(waiter).get(0).waiting();
            assertThat(info.target().advisoryKey()).contains(key);
            assertThat(info.target().describe()).startsWith("advisory lock " + key + " of database ");
            assertThat(hard(waiter)).containsExactly(holder.pid());
            holder.commit();
            waiting.await();
        }
    }

    @Test
    void anAdvisoryLockOfASessionThatIsIdle() {
        holder.execute("select pg_advisory_lock(1)");
        waiter.start("select pg_advisory_lock(1)");
        scenario.awaitBlockedBy(waiter, holder);

        edges(waiter);
        assertThat(hard(waiter)).containsExactly(holder.pid());
        assertThat(blockedLock(waiter).blockers().get(0).backend().state()).contains("idle");
    }

    @Test
    void aPreparedTransaction() {
        scenario.assumePreparedTransactions();
        holder.execute("begin", "update t set note = 'prepared' where id = 7", "prepare transaction 'it''s xa-42'");
        waiter.start("alter table t add x int");
        scenario.awaitBlocked(waiter);
        late.start("update t set note = '' where id = 7");
        scenario.awaitBlocked(late);

        edges(waiter, late);
        Blocker blocker = blockedLock(waiter).blockers().get(0);
        assertThat(blocker.hard()).isTrue();
        assertThat(blocker.holds()).extracting(LockInfo::mode).containsExactly(LockMode.ROW_EXCLUSIVE);
        assertThat(blocker.backend().describe())
                .startsWith("prepared transaction \"it's xa-42\" (open for ")
                .endsWith("ROLLBACK PREPARED 'it''s xa-42')");
        holder.execute("rollback prepared 'it''s xa-42'");
    }

    @Test
    void twoPreparedTransactionsAreToldApart() {
        scenario.assumePreparedTransactions();
        holder.execute("begin", "update t set note = '' where id = 1", "prepare transaction 'one'");
        holder.execute("begin", "update t set note = '' where id = 2", "prepare transaction 'two'");
        waiter.start("begin", "lock table t");
        scenario.awaitBlocked(waiter);

        edges(waiter);
        assertThat(blockedLock(waiter).hardBlockers())
                .extracting(blocker -> blocker.backend().preparedGid())
                .containsExactlyInAnyOrder(Optional.of("one"), Optional.of("two"));
        holder.execute("rollback prepared 'one'", "rollback prepared 'two'");
    }

    @Test
    void aDeadlockAndWhoWaitsBehindIt() {
        holder.execute("set deadlock_timeout = '1min'", "begin", "lock table t");
        waiter.execute("set deadlock_timeout = '1min'", "begin", "lock table u");
        holder.start("lock table u");
        scenario.awaitBlockedBy(holder, waiter);
        waiter.start("lock table t");
        scenario.awaitBlockedBy(waiter, holder);
        late.start("set deadlock_timeout = '1min'", "select * from t");
        scenario.awaitBlocked(late);

        edges(holder, waiter, late);
        assertThat(hard(holder)).containsExactly(waiter.pid());
        assertThat(hard(waiter)).containsExactly(holder.pid());
        assertThat(hard(late)).containsExactly(holder.pid());
    }

    @Test
    void anIndexThatIsBuiltConcurrently() {
        holder.execute("begin isolation level repeatable read", "select * from u");
        waiter.start("create index concurrently on t (note)");
        scenario.awaitBlockedBy(waiter, holder);

        assertThat(edges(waiter).get(0).waiting().target().type()).isEqualTo(LockTarget.Type.VIRTUALXID);
        assertThat(edges(waiter).get(0).waiting().target().describe()).startsWith("end of transaction ");
        assertThat(hard(waiter)).containsExactly(holder.pid());
    }

    @Test
    void theSameKeyInsertedTwice() {
        holder.execute("begin", "insert into t values (99, 'mine')");
        waiter.start("insert into t values (99, 'no, mine')");
        scenario.awaitBlockedBy(waiter, holder);

        LockTarget target = edges(waiter).get(0).waiting().target();
        assertThat(target.type()).isEqualTo(LockTarget.Type.TRANSACTIONID);
        assertThat(target.describe()).matches("transaction \\d+");
        assertThat(hard(waiter)).containsExactly(holder.pid());
    }

    @Test
    void aSchema() {
        holder.execute("create schema billing", "begin", "create table billing.t (id int)");
        waiter.start("drop schema billing");
        scenario.awaitBlockedBy(waiter, holder);

        assertThat(edges(waiter).get(0).waiting().target().describe()).isEqualTo("schema billing");
        assertThat(hard(waiter)).containsExactly(holder.pid());
        holder.rollback();
    }

    @Test
    void aParallelWorkerThatWaitsCountsAsItsSession(PostgresServer server) {
        server.assumeAtLeast(13);
        waiter.execute(
                "create or replace function look_at_t(int) returns bigint parallel safe language plpgsql"
                        + " as 'declare n bigint; begin execute ''select count(*) from t'' into n; return n; end'",
                "set min_parallel_table_scan_size = 0",
                "set parallel_setup_cost = 0",
                "set parallel_tuple_cost = 0",
                "set parallel_leader_participation = off",
                "set max_parallel_workers_per_gather = 2",
                "insert into u select generate_series(1, 1000)",
                "analyze u");
        holder.execute("begin", "lock table t");
        waiter.start("select sum(look_at_t(id)) from u");
        scenario.awaitBlocked(waiter.pid());

        List<BlockedLock> blocked = blocked();
        assertThat(blocked).isNotEmpty();
        assertThat(blocked).allSatisfy(wait -> {
            assertThat(wait.waiting().backend().leaderPid()).contains(waiter.pid());
            assertThat(pids(wait.blockers())).containsExactly(holder.pid());
            assertThat(wait.hardBlockers()).hasSize(1);
        });
        LockTree tree = LockQuery.on(mine).database(scenario.database().name()).tree();
        assertThat(tree.stream().map(node -> node.backend().pid())).containsExactly(holder.pid(), waiter.pid());
        assertThat(LockQuery.on(mine).pid(waiter.pid()).waiting().list()).isNotEmpty();
    }

    @Test
    void aSessionBlockedByAParallelQuery(PostgresServer server) {
        waiter.execute(
                "set min_parallel_table_scan_size = 0",
                "set parallel_setup_cost = 0",
                "set parallel_tuple_cost = 0",
                "set max_parallel_workers_per_gather = 2",
                "insert into u select generate_series(1, 10)",
                "analyze u",
                "begin",
                "declare c cursor for select * from u",
                "fetch 1 from c");
        late.start("begin", "lock table u");
        scenario.awaitBlockedBy(late, waiter);

        edges(late);
        assertThat(hard(late)).containsExactly(waiter.pid());
    }

    @Test
    void committedSerializableTransactionsAreNotInTheWay() {
        late.execute("begin isolation level serializable", "select * from u");
        holder.execute("begin isolation level serializable", "select * from t", "update u set id = 1", "commit");
        holder.execute("begin", "lock table t in share mode");
        waiter.start("insert into t values (11, '')");
        scenario.awaitBlockedBy(waiter, holder);

        edges(waiter);
        assertThat(pids(blockedLock(waiter).blockers())).containsExactly(holder.pid());
    }

    @Test
    void twoIndependentHolders() {
        holder.execute("begin", "select * from t");
        late.execute("begin", "select * from t");
        waiter.start("begin", "lock table t");
        scenario.awaitBlockedBy(waiter, late);

        edges(waiter);
        assertThat(hard(waiter)).containsExactlyInAnyOrder(holder.pid(), late.pid());
    }

    @Test
    void theAskingSessionItselfMayBeInTheWay(Database database) throws Exception {
        try (Connection asking = database.connect("asking")) {
            asking.setAutoCommit(false);
            try (var statement = asking.createStatement()) {
                statement.execute("select * from t");
            }
            waiter.start("begin", "lock table t");
            scenario.awaitBlocked(waiter);

            BlockedLock wait =
                    LockQuery.on(asking).application("waiter").blocked().get(0);
            assertThat(wait.hardBlockers())
                    .extracting(blocker -> blocker.backend().application())
                    .containsExactly(Optional.of("asking"));
            asking.rollback();
        }
    }

    /** All waits of this database, each found to have the blockers that PostgreSQL says. */
    private List<BlockedLock> edges(Session... waiters) {
        List<BlockedLock> blocked = blocked();
        assertThat(blocked)
                .extracting(wait -> wait.waiting().backend().pid())
                .containsExactlyInAnyOrderElementsOf(
                        Arrays.stream(waiters).map(Session::pid).toList());
        for (Session session : waiters) {
            assertThat(pids(blockedLock(session).blockers()))
                    .as("whom %s waits for", session)
                    .isNotEmpty()
                    .isEqualTo(new TreeSet<>(scenario.pidsBlocking(session)));
        }
        return blocked;
    }

    private List<BlockedLock> blocked() {
        return PgLock.on(mine).locks().database(scenario.database().name()).blocked();
    }

    private BlockedLock blockedLock(Session session) {
        return PgLock.on(mine).locks().pid(session.pid()).blocked().get(0);
    }

    private Set<Integer> hard(Session session) {
        return pids(blockedLock(session).hardBlockers());
    }

    private static Set<Integer> pids(List<Blocker> blockers) {
        return blockers.stream().map(blocker -> blocker.backend().pid()).collect(Collectors.toCollection(TreeSet::new));
    }
}
