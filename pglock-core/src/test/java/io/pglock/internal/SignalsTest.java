// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.Backend;
import io.pglock.LockClient;
import io.pglock.LockHandle;
import io.pglock.LockKey;
import io.pglock.LockLostException;
import io.pglock.PgLockException;
import io.pglock.Signal;
import io.pglock.Signalled;
import io.pglock.Signalled.Outcome;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Role;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import javax.sql.DataSource;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is checked in the statement that signals, after the look at the blocker is long over. */
@PostgresTest
class SignalsTest {

    static final Spared NOBODY = new Spared(Set.of(), Set.of());

    private final Scenario scenario;
    private final Connection side;

    private Session holder;
    private Session waiter;

    SignalsTest(Scenario scenario, Connection side) {
        this.scenario = scenario;
        this.side = side;
        this.holder = scenario.session("holder");
        this.waiter = scenario.session("waiter");
    }

    @BeforeEach
    void held() {
        holder.begin();
        holder.execute("select pg_advisory_xact_lock(1)");
    }

    private Running waiting() {
        Running waiting = waiter.start("select pg_advisory_lock(1)", "select pg_advisory_unlock(1)");
        scenario.awaitBlockedBy(waiter, holder);
        return waiting;
    }

    private static Backend look(Connection connection, int pid) throws SQLException {
        int major = PgSession.of(connection).majorVersion();
        try (var statement = connection.prepareStatement(
                "select " + Sql.backendColumns(major) + " from pg_stat_activity a where a.pid = ?")) {
            statement.setInt(1, pid);
            try (var row = statement.executeQuery()) {
                assertThat(row.next()).isTrue();
                return Rows.backend(row);
            }
        }
    }

    private Backend look(Session session) throws SQLException {
        return look(side, session.pid());
    }

    private Signalled terminate(Backend seen) throws SQLException {
        return Signals.toBlocker(side, Signal.TERMINATE, seen, waiter.pid(), NOBODY);
    }

    @Test
    void terminatesABlocker() throws SQLException {
        Running waiting = waiting();
        Signalled done = terminate(look(holder));
        assertThat(done.sent()).isTrue();
        waiting.await();
        scenario.awaitGone(holder.pid());
    }

    @Test
    void sparesABlockerThatHasCommittedSinceAndBegunAnew() throws SQLException {
        Running waiting = waiting();
        Backend seen = look(holder);
        waiter.cancel();
        waiting.awaitFailure();
        holder.commit();
        holder.begin();
        holder.execute("select pg_advisory_xact_lock(1)");
        Running again = waiting();
        Signalled done = terminate(seen);
        assertThat(done.outcome()).isEqualTo(Outcome.GONE);
        assertThat(done.detail()).endsWith("not terminated: the transaction in which it was seen has ended.");
        holder.commit();
        again.await();
    }

    @Test
    void sparesABlockerThatHasEnded() throws SQLException {
        Running waiting = waiting();
        Backend seen = look(holder);
        holder.kill();
        waiting.await();
        assertThat(terminate(seen).outcome()).isEqualTo(Outcome.GONE);
        assertThat(Signals.toSession(side, Signal.TERMINATE, seen).outcome()).isEqualTo(Outcome.GONE);
    }

    @Test
    void sparesWhoeverHasTheProcessIdNow() throws SQLException {
        Running waiting = waiting();
        Backend now = look(holder);
        Backend then = with(now, now.backendStart().map(start -> start.minusMillis(1)));
        assertThat(terminate(then).detail()).endsWith("it has ended.");
        assertThat(Signals.toSession(side, Signal.TERMINATE, then).outcome()).isEqualTo(Outcome.GONE);
        holder.commit();
        waiting.await();
    }

    @Test
    void sparesWhoWasIdleAndHasBegunToWork() throws SQLException {
        Running waiting = waiting();
        Backend seen = look(holder);
        holder.execute("select 1");
        Signalled done = terminateIdle(seen);
        assertThat(done.outcome()).isEqualTo(Outcome.GONE);
        assertThat(done.detail()).endsWith("not terminated: it has begun to work.");
        assertThat(terminateIdle(look(holder)).sent()).isTrue();
        waiting.await();
    }

    private Signalled terminateIdle(Backend seen) throws SQLException {
        return Signals.toBlocker(side, Signal.TERMINATE, seen, seen.stateChange(), waiter.pid(), NOBODY);
    }

    private static Backend with(Backend seen, Optional<Instant> backendStart) {
        return new Backend(
                seen.pid(),
                seen.leaderPid(),
                seen.database(),
                seen.user(),
                seen.application(),
                seen.clientAddress(),
                seen.clientHostname(),
                seen.type(),
                seen.state(),
                backendStart,
                seen.xactStart(),
                seen.queryStart(),
                seen.stateChange(),
                seen.waitEvent(),
                seen.query(),
                seen.xid(),
                seen.xmin(),
                seen.preparedGid(),
                seen.seenAt());
    }

    @Test
    void sparesABlockerThatDoesNotSayInWhichTransactionItIs() throws SQLException {
        holder.execute("set track_activities = off");
        Running waiting = waiting();
        Signalled done = terminate(look(holder));
        assertThat(done.outcome()).isEqualTo(Outcome.SPARED);
        assertThat(done.detail()).contains("not terminated: its track_activities is off");
        holder.commit();
        waiting.await();
    }

    @Test
    void sparesAnOwnerThatDidNotOrDoesNotSayInWhichTransactionItIsUnlessItIsNamed() throws SQLException {
        holder.execute("commit", "select pg_advisory_lock(1)");
        Backend idle = look(holder);
        holder.execute("set track_activities = off", "begin", "select 1");
        isNotTracked(idle);
        Backend untracked = look(holder);
        holder.execute("rollback", "set track_activities = on");
        isNotTracked(untracked);
        assertThat(Signals.toOwner(side, Signal.TERMINATE, look(holder)).sent()).isTrue();
        scenario.awaitGone(holder.pid());
    }

    private void isNotTracked(Backend seen) throws SQLException {
        Signalled done = Signals.toOwner(side, Signal.TERMINATE, seen);
        assertThat(done.outcome()).isEqualTo(Outcome.SPARED);
        assertThat(done.detail())
                .endsWith("not terminated: its track_activities is off, so nobody can tell whether it still is the same"
                        + " transaction.");
    }

    @Test
    void sparesAFormerBlockerWhenTheWaiterWaitsNoMore() throws SQLException {
        Running waiting = waiting();
        Backend seen = look(holder);
        waiter.cancel();
        waiting.awaitFailure();
        Signalled done = terminate(seen);
        assertThat(done.outcome()).isEqualTo(Outcome.GONE);
        assertThat(done.detail()).endsWith("it blocks no more.");
    }

    @Test
    void sparesWhoIsMerelyQueuedAhead() throws SQLException {
        Session queued = scenario.session("queued");
        queued.begin();
        Running ahead = queued.start("select pg_advisory_xact_lock(1)");
        scenario.awaitBlockedBy(queued, holder);
        Running waiting = waiter.start("select pg_advisory_lock(1)", "select pg_advisory_unlock(1)");
        scenario.awaitBlockedBy(waiter, queued);
        assertThat(terminate(look(queued)).outcome()).isEqualTo(Outcome.GONE);
        holder.commit();
        ahead.await();
        queued.commit();
        waiting.await();
    }

    @Test
    void sparesWhoIsProtectedByNowOrBelongsToUs() throws SQLException {
        Running waiting = waiting();
        Backend seen = look(holder);
        assertThat(spared(seen, new Spared(Set.of("holder"), Set.of()))).endsWith("it is protected.");
        assertThat(spared(seen, new Spared(Set.of(seen.user().orElseThrow()), Set.of())))
                .endsWith("it is protected.");
        assertThat(spared(seen, new Spared(Set.of(), Set.of(holder.pid()))))
                .endsWith("it belongs to this JVM's own work.");
        Session theirs = scenario.session("theirs");
        theirs.execute("select pg_advisory_lock_shared(" + Sql.GUARDED_CLASS + ", " + holder.pid() + ")");
        assertThat(spared(seen, NOBODY)).endsWith("it is another migration that pglock guards.");
        theirs.close();
        scenario.awaitGone(theirs.pid());
        holder.execute("select pg_advisory_lock(77431708279161 - 2147483648)");
        assertThat(spared(seen, NOBODY)).endsWith("it holds Flyway's history lock.");
        holder.execute("select pg_advisory_unlock(77431708279161 - 2147483648)");
        holder.execute("select pg_advisory_lock(77431708279161 + 2147483649)");
        assertThat(terminate(seen).sent()).as("a key of somebody else").isTrue();
        waiting.await();
    }

    @Test
    void sparesALockClientUnlessSomebodyNamesIt(DataSource dataSource) throws Exception {
        try (LockClient client = LockClient.create(dataSource);
                LockHandle mine = client.advisory(LockKey.of(2)).acquire()) {
            Running waiting = waiter.start("select pg_advisory_lock(2)", "select pg_advisory_unlock(2)");
            scenario.awaitBlocked(waiter);
            Backend seen = look(side, blockerOf(waiter));
            assertThat(spared(seen, NOBODY))
                    .endsWith("not terminated: it is the session of a LockClient, with all locks of that application.");
            assertThat(mine.isHeld()).isTrue();
            assertThat(Signals.toSession(side, Signal.TERMINATE, seen).sent()).isTrue();
            waiting.await();
        } catch (LockLostException e) {
            // its own, for that is what was done
        }
    }

    private int blockerOf(Session blocked) throws SQLException {
        try (var row = side.createStatement().executeQuery("select (pg_blocking_pids(" + blocked.pid() + "))[1]")) {
            row.next();
            return row.getInt(1);
        }
    }

    private String spared(Backend seen, Spared whom) throws SQLException {
        Signalled done = Signals.toBlocker(side, Signal.TERMINATE, seen, waiter.pid(), whom);
        assertThat(done.outcome()).isEqualTo(Outcome.SPARED);
        return done.detail();
    }

    @ParameterizedTest
    @EnumSource(Signal.class)
    void sparesProcessesOfTheServer(Signal how) throws SQLException {
        int pid;
        try (var row = side.createStatement()
                .executeQuery("select pid from pg_stat_activity where backend_type = 'checkpointer'")) {
            row.next();
            pid = row.getInt(1);
        }
        Signalled done = Signals.toSession(side, how, look(side, pid));
        assertThat(done.outcome()).isEqualTo(Outcome.SPARED);
        assertThat(done.detail()).contains("it is not a client's session");
    }

    @Test
    void sparesItself() throws SQLException {
        int own = PgSession.of(side).physical().getBackendPID();
        assertThat(Signals.toSession(side, Signal.TERMINATE, look(side, own)).detail())
                .endsWith("it is the session that asks.");
    }

    @Test
    void doesNotCancelAnIdleTransaction() throws SQLException {
        Signalled done = Signals.toSession(side, Signal.CANCEL, look(holder));
        assertThat(done.outcome()).isEqualTo(Outcome.NO_EFFECT);
        assertThat(done.detail()).contains("not cancelled: it runs no statement that could be cancelled");
    }

    @Test
    void cancelsTheStatementOfASession() throws SQLException {
        Running sleeping = holder.start("select pg_sleep(300)");
        scenario.awaitState(holder, "active");
        Signalled done = Signals.toSession(side, Signal.CANCEL, look(holder));
        assertThat(done.sent()).isTrue();
        assertThat(done.detail()).startsWith("Cancelled the statement of pid " + holder.pid());
        assertThat(sleeping.awaitFailure().getSQLState()).isEqualTo("57014");
    }

    @Test
    void aPreparedTransactionHasNoSession() throws SQLException {
        Backend prepared = Rows.unknown(0, Instant.now());
        assertThat(Signals.toSession(side, Signal.TERMINATE, prepared).outcome())
                .isEqualTo(Outcome.SPARED);
    }

    @Test
    void insideATransactionItLooksAtTheSessionAnew() throws SQLException {
        side.setAutoCommit(false);
        Backend seen = look(holder); // from here on pg_stat_activity stands still in this transaction
        holder.commit();
        holder.begin();
        holder.execute("select 1");
        assertThat(Signals.toSession(side, Signal.TERMINATE, seen).outcome()).isEqualTo(Outcome.GONE);
        side.rollback();
        side.setAutoCommit(true);
    }

    @Test
    void leavesNoTransactionOpenWhereAutocommitIsOff() throws SQLException {
        Backend seen = look(holder);
        side.setAutoCommit(false);
        assertThat(Signals.toSession(side, Signal.TERMINATE, seen).sent()).isTrue();
        assertThat(PgSession.of(side).inTransaction()).isFalse();
        assertThat(side.getAutoCommit()).isFalse();
        side.setAutoCommit(true);
    }

    @Test
    void refusesAFailedTransaction() throws SQLException {
        Backend seen = look(holder);
        side.setAutoCommit(false);
        assertThatThrownBy(() -> side.createStatement().execute("select 1/0")).isInstanceOf(SQLException.class);
        assertThatThrownBy(() -> Signals.toSession(side, Signal.TERMINATE, seen))
                .isInstanceOf(PgLockException.class)
                .hasMessageContaining("has failed");
        side.rollback();
        side.setAutoCommit(true);
    }

    @Test
    void aTransactionStaysUsableWhenASignalIsNotPermittedAndTheGrantIsNamed() throws SQLException {
        Role owner = scenario.role("owner");
        Role weak = scenario.role("weak", "pg_read_all_stats");
        try (Connection theirs = scenario.connectAs(owner);
                Connection mine = scenario.connectAs(weak)) {
            int pid = PgSession.of(theirs).physical().getBackendPID();
            mine.setAutoCommit(false);
            mine.createStatement().execute("select 1");
            Signalled done = Signals.toSession(mine, Signal.TERMINATE, look(mine, pid));
            assertThat(done.outcome()).isEqualTo(Outcome.NOT_PERMITTED);
            assertThat(done.detail())
                    .endsWith("role " + weak.name() + " may not signal sessions of " + owner.name()
                            + "; GRANT pg_signal_backend TO " + weak.name() + ".");
            assertThat(mine.createStatement().execute("select 1")).isTrue();
            mine.rollback();
        }
    }

    @Test
    void saysThatOnlyASuperuserMaySignalASuperuser() throws SQLException {
        Role signaller = scenario.role("signaller", "pg_read_all_stats", "pg_signal_backend");
        try (Connection mine = scenario.connectAs(signaller)) {
            Backend seen = look(mine, holder.pid());
            Assumptions.assumeTrue(isSuperuser(seen), "needs a server whose test role is a superuser");
            Signalled done = Signals.toSession(mine, Signal.TERMINATE, seen);
            assertThat(done.outcome()).isEqualTo(Outcome.NOT_PERMITTED);
            assertThat(done.detail())
                    .contains("it belongs to the superuser " + seen.user().orElseThrow());
        }
    }

    private boolean isSuperuser(Backend seen) throws SQLException {
        try (var statement = side.prepareStatement("select rolsuper from pg_roles where rolname = ?")) {
            statement.setString(1, seen.user().orElseThrow());
            try (var row = statement.executeQuery()) {
                return row.next() && row.getBoolean(1);
            }
        }
    }

    /** Each kind of lock on which somebody can be blocked by a holder. */
    @ParameterizedTest
    @EnumSource
    void recognizesTheHolderOfEveryKindOfLock(Kind kind) throws SQLException {
        holder.rollback();
        holder.execute("drop table if exists things", "create table things (id int primary key, n int)");
        holder.execute("insert into things values (1, 1)");
        if (!kind.inTransaction) {
            holder.execute(kind.held);
        } else {
            holder.begin();
            holder.execute(kind.held);
        }
        Running waiting = waiter.start(kind.wanted);
        scenario.awaitBlockedBy(waiter, holder);
        assertThat(terminate(look(holder)).sent()).isTrue();
        waiting.await();
        waiter.execute("select pg_advisory_unlock_all()", "drop table things");
    }

    private enum Kind {
        RELATION("lock table things in access share mode", "alter table things add column more int"),
        ROW("update things set n = 2", "update things set n = 3"),
        ADVISORY_PAIR("select pg_advisory_xact_lock(-7, 9)", "select pg_advisory_lock(-7, 9)"),
        ADVISORY_NEGATIVE("select pg_advisory_xact_lock_shared(-42)", "select pg_advisory_lock(-42)"),
        SESSION_LEVEL("select pg_advisory_lock(5)", "select pg_advisory_lock(5)"),
        UNIQUE_KEY("insert into things values (2, 2)", "insert into things values (2, 3)"),
        VIRTUAL_TRANSACTION("declare c cursor for select * from things", "create index concurrently on things (n)");

        private final String held;
        private final String wanted;
        private final boolean inTransaction;

        Kind(String held, String wanted) {
            this.held = held;
            this.wanted = wanted;
            this.inTransaction = !held.contains("pg_advisory_lock(5)");
        }
    }
}
