// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.pglock.Signalled.Outcome;
import io.pglock.testkit.QueueScene;
import io.pglock.testkit.Role;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who is signalled by a {@link LockQuery}, and who is not. */
class LockQuerySignalsTest extends QueueScene {

    private final Connection mine;

    LockQuerySignalsTest(Scenario scenario, Connection mine) {
        super(scenario);
        this.mine = mine;
    }

    /** django-pglock ends those queued ahead as well (defect 3). */
    @Test
    void terminatesTheHolderAndNobodyWhoIsMerelyQueuedAhead() {
        holder.execute("begin", "select * from orders");
        Running altering = migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);
        Running reading = web.start("select count(*) from orders");
        scenario.awaitBlockedBy(web, migration);

        List<Signalled> done = locks().on("orders").terminateBlockers();

        assertThat(done).singleElement().satisfies(one -> {
            assertThat(one.outcome()).isEqualTo(Outcome.SENT);
            assertThat(one.backend().pid()).isEqualTo(holder.pid());
        });
        scenario.awaitGone(holder.pid());
        altering.await();
        assertThat(reading.result()).containsExactly("0");
    }

    /** django-pglock ends a blocker's blocker as well (defect 2). */
    @Test
    void sparesABlockersBlocker() {
        holder.execute("begin", "lock table orders");
        web.execute("begin", "lock table items");
        web.start("lock table orders");
        scenario.awaitBlockedBy(web, holder);
        Running altering = migration.start("alter table items add note text");
        scenario.awaitBlockedBy(migration, web);

        assertThat(locks().application("migration").terminateBlockers())
                .extracting(one -> one.backend().pid())
                .containsExactly(web.pid());
        scenario.awaitGone(web.pid());
        altering.await();
        assertThat(holder.value("select 1")).isEqualTo("1");
    }

    @Test
    void cancelsTheStatementOfAHolder() {
        holder.execute("begin", "select * from orders");
        Running report = holder.start("select pg_sleep(60)");
        Running altering = migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);

        assertThat(locks().on("orders").cancelBlockers())
                .extracting(Signalled::outcome)
                .containsExactly(Outcome.SENT);
        assertThat(report.awaitFailure().getSQLState()).isEqualTo("57014");
        altering.await();
    }

    @Test
    void saysThatAnIdleTransactionCannotBeCancelled() {
        holder.execute("begin", "select * from orders");
        migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);
        scenario.awaitState(holder, "idle in transaction");

        assertThat(locks().on("orders").cancelBlockers()).singleElement().satisfies(one -> {
            assertThat(one.outcome()).isEqualTo(Outcome.NO_EFFECT);
            assertThat(one.detail()).contains("only a terminate");
        });
        assertThat(holder.value("select 1")).isEqualTo("1");
    }

    /** django-pglock finds no blocker where no table is concerned (defects 11 and 18). */
    @Test
    void endsWhoHoldsAnAdvisoryLock() {
        holder.execute("select pg_advisory_lock(-7)");
        Running waiting = migration.start("select pg_advisory_xact_lock(-7)");
        scenario.awaitBlockedBy(migration, holder);

        assertThat(locks().advisory(LockKey.of(-7)).terminateBlockers())
                .extracting(Signalled::outcome)
                .containsExactly(Outcome.SENT);
        waiting.await();
    }

    /** django-pglock reports pid 0 as handled (defect 12). */
    @Test
    void reportsAPreparedTransactionWithItsRemedy() {
        scenario.assumePreparedTransactions();
        holder.execute("begin", "insert into orders values (1)", "prepare transaction 'forgotten'");
        migration.start("alter table orders add note text");
        scenario.awaitBlocked(migration);

        assertThat(locks().on("orders").terminateBlockers()).singleElement().satisfies(one -> {
            assertThat(one.outcome()).isEqualTo(Outcome.SPARED);
            assertThat(one.detail()).contains("ROLLBACK PREPARED 'forgotten'");
        });
        holder.execute("rollback prepared 'forgotten'");
    }

    /** django-pglock kills its own session (defect 16). */
    @Test
    void sparesABackupUnlessItIsNamedItself() {
        holder.execute("set application_name = pg_dump", "begin", "select * from orders");
        Running altering = migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);

        assertSparesTheHolder("", "it is protected.");

        List<Backend> backup =
                locks().pid(holder.pid()).list().stream().map(LockInfo::backend).toList();
        assertThat(locks().terminate(backup)).extracting(Signalled::outcome).containsExactly(Outcome.SENT);
        altering.await();
    }

    private void assertSparesTheHolder(String afterPid, String why) {
        assertThat(locks().application("migration").terminateBlockers())
                .singleElement()
                .satisfies(one -> {
                    assertThat(one.outcome()).isEqualTo(Outcome.SPARED);
                    assertThat(one.detail())
                            .startsWith("pid " + holder.pid() + afterPid)
                            .endsWith("not terminated: " + why);
                });
    }

    /** Who ends blockers means one lock each; who asks for the holders of a key, or names the session, means it. */
    @Test
    void sparesALockClientUnlessItsLocksAreAskedForOrItIsNamedItself() {
        holder.execute("set application_name = 'nightly pglock'", "select pg_advisory_lock(7), pg_advisory_lock(8)");
        web.execute("set application_name = 'web pglock'", "select pg_advisory_lock(9)");
        Running waiting = migration.start("select pg_advisory_lock(7)", "select pg_advisory_unlock(7)");
        scenario.awaitBlockedBy(migration, holder);

        assertSparesTheHolder(
                " (nightly pglock, ", "it is the session of a LockClient, with all locks of that application.");

        List<Backend> client =
                locks().pid(holder.pid()).list().stream().map(LockInfo::backend).toList();
        assertThat(locks().terminate(client)).extracting(Signalled::outcome).containsExactly(Outcome.SENT);
        waiting.await();
        assertThat(locks().advisory(LockKey.of(9)).terminate())
                .extracting(Signalled::outcome)
                .containsExactly(Outcome.SENT);
    }

    @Test
    void sparesTheAskingSession() throws SQLException {
        mine.setAutoCommit(false);
        try (Statement statement = mine.createStatement()) {
            statement.execute("select * from orders");
        }
        migration.start("alter table orders add note text");
        scenario.awaitBlocked(migration);

        assertThat(locks().on("orders").terminateBlockers())
                .extracting(Signalled::outcome)
                .containsExactly(Outcome.SPARED);
        assertThat(locks().on("orders").granted().terminate()).isEmpty();
        mine.rollback();
        mine.setAutoCommit(true);
    }

    /** django-pglock signals whoever matches when the prompt was answered (defects 16 and 24). */
    @Test
    void signalsExactlyWhoWasSeenAndOnlyInTheSameTransaction() {
        holder.execute("begin", "select * from orders");
        List<Backend> seen =
                locks().on("orders").list().stream().map(LockInfo::backend).toList();
        web.execute("begin", "select * from orders");
        holder.commit();
        holder.execute("begin", "select * from orders");

        assertThat(locks().terminate(seen)).extracting(Signalled::outcome).containsExactly(Outcome.GONE);
        assertThat(holder.value("select 1")).isEqualTo("1");
        assertThat(web.value("select 1")).isEqualTo("1");
    }

    /** It does not say when its transaction began. */
    @Test
    void sparesWhoCannotBeKnownToBeInTheSameTransactionAndSignalsHimWhenHeIsNamed() throws SQLException {
        Role untracked = scenario.role("untracked");
        holder.execute("alter role " + untracked.name() + " set track_activities = off");
        try (Connection theirs = scenario.connectAs(untracked)) {
            theirs.setAutoCommit(false);
            Held.execute(theirs, "select pg_advisory_xact_lock(-7)");
            LockQuery owners = locks().advisory(LockKey.of(-7));
            LockQuery goingOn = owners.where(lock -> goesOn(theirs)); // between the look and the signal

            assertThat(goingOn.terminate()).singleElement().satisfies(LockQuerySignalsTest::isNotTracked);
            assertThat(goingOn.cancel()).singleElement().satisfies(LockQuerySignalsTest::isNotTracked);

            List<Backend> named = owners.list().stream().map(LockInfo::backend).toList();
            goesOn(theirs);
            assertThat(locks().terminate(named)).extracting(Signalled::outcome).containsExactly(Outcome.SENT);
            scenario.awaitGone(named.get(0).pid());
        }
    }

    /** To another transaction, with the lock of the same name. */
    private static boolean goesOn(Connection theirs) {
        try {
            theirs.commit();
            Held.execute(theirs, "select pg_advisory_xact_lock(-7)");
            return true;
        } catch (SQLException e) {
            throw new IllegalStateException("it has been ended", e);
        }
    }

    private static void isNotTracked(Signalled one) {
        assertThat(one.outcome()).isEqualTo(Outcome.SPARED);
        assertThat(one.detail()).contains("its track_activities is off");
    }

    @Test
    void signalsTheBlockersOfExactlyTheWaitsThatWereSeen() {
        holder.execute("begin", "select * from orders");
        Running altering = migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);
        List<BlockedLock> seen = locks().on("orders").blocked();
        web.execute("begin", "select * from items");
        scenario.session("other").start("alter table items add note text");
        scenario.awaitBlocked(scenario.session("other"));

        assertThat(locks().terminateBlockers(seen))
                .extracting(one -> one.backend().pid(), Signalled::outcome)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(holder.pid(), Outcome.SENT));
        scenario.awaitGone(holder.pid());
        altering.await();
        assertThat(web.value("select 1")).isEqualTo("1");
        assertThat(locks().cancelBlockers(seen)).extracting(Signalled::outcome).containsExactly(Outcome.GONE);
    }

    @Test
    void terminatesEachMatchingSessionOnce() {
        holder.execute("begin", "select * from orders", "select * from items");
        web.execute("begin", "select * from orders");

        assertThat(locks().on("orders", "items").application("holder").terminate())
                .extracting(Signalled::outcome)
                .containsExactly(Outcome.SENT);
        scenario.awaitGone(holder.pid());
        assertThat(web.value("select 1")).isEqualTo("1");
    }

    @Test
    void cancelsASessionThatWasSeenInTwoReadingsOnce() {
        migration.execute("begin", "lock table orders");
        Running reading = web.start("select * from orders");
        scenario.awaitBlockedBy(web, migration);
        List<Backend> seen = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            locks().on("orders").waiting().list().forEach(lock -> seen.add(lock.backend()));
        }

        assertThat(locks().cancel(seen)).extracting(Signalled::outcome).containsExactly(Outcome.SENT);
        assertThat(reading.awaitFailure().getSQLState()).isEqualTo("57014");
    }

    @Test
    void signalsABlockerOnceThatWasSeenInTwoReadings() {
        holder.execute("begin", "select * from orders");
        Running altering = migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);
        List<BlockedLock> seen = new ArrayList<>(locks().on("orders").blocked());
        seen.addAll(locks().on("orders").blocked());

        assertThat(locks().terminateBlockers(seen))
                .extracting(Signalled::outcome)
                .containsExactly(Outcome.SENT);
        altering.await();
    }

    @Test
    void cancelsMatchingSessions() {
        migration.execute("begin", "lock table orders");
        Running reading = web.start("select * from orders");
        scenario.awaitBlockedBy(web, migration);

        assertThat(locks().on("orders").waiting().cancel())
                .extracting(Signalled::outcome)
                .containsExactly(Outcome.SENT);
        assertThat(reading.awaitFailure().getSQLState()).isEqualTo("57014");
    }

    @Test
    void refusesToEndEverybody() {
        assertThatIllegalStateException()
                .isThrownBy(() -> locks().terminate())
                .withMessageContaining("every session on the server");
        assertThatIllegalStateException().isThrownBy(() -> locks().cancel()).withMessageContaining("Say which");
        assertThatIllegalStateException()
                .isThrownBy(() -> locks().limit(1).sortedBy(LockQuery.Order.PID).cancel());
    }

    @Test
    void worksInsideATransactionAndLeavesItUsable() throws SQLException {
        holder.execute("begin", "select * from orders");
        migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);
        mine.setAutoCommit(false);
        try (Statement statement = mine.createStatement()) {
            statement.execute("select 1");
            assertThat(locks().on("orders").terminateBlockers())
                    .extracting(Signalled::outcome)
                    .containsExactly(Outcome.SENT);
            statement.execute("select 1");
        }
        mine.rollback();
        mine.setAutoCommit(true);
    }

    @Test
    void aRoleThatMayNotIsToldWhichGrantIsMissing() {
        Role role = scenario.role("reader", "pg_read_all_stats");
        Connection reader = scenario.connectAs(role);
        holder.execute("begin", "select * from orders");
        migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);

        assertThat(LockQuery.on(reader).application("migration").terminateBlockers())
                .singleElement()
                .satisfies(one -> assertThat(one.outcome()).isEqualTo(Outcome.NOT_PERMITTED));
        assertThat(holder.value("select 1")).isEqualTo("1");
    }

    private LockQuery locks() {
        return PgLock.on(mine).locks();
    }
}
