// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.pglock.Signalled.Outcome;
import io.pglock.internal.Signals;
import io.pglock.internal.Spared;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Many want one row. The first of them holds a lock on it, which is a place in the queue; who holds the row is somebody else. */
class RowQueueTest extends PrioritizeScene {

    private static final String UPDATE = "update orders set note = 'c' where id = 1";

    private final Connection mine;
    private final Session holder;
    private final Session migration;

    RowQueueTest(Scenario scenario, DataSource dataSource, Connection mine) {
        super(scenario, dataSource);
        this.mine = mine;
        this.holder = scenario.session("holder");
        this.migration = scenario.session("migration");
    }

    /** In their order. */
    private List<Running> queueUp(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> {
                    Session web = scenario.session("web-" + i);
                    Running updating = web.start(UPDATE);
                    scenario.awaitBlocked(web);
                    return updating;
                })
                .toList();
    }

    private static String locking(String strength) {
        return "select 1 from orders where id = 1 for " + strength;
    }

    private List<BlockedLock> waits() {
        return PgLock.on(mine).locks().application("migration").blocked();
    }

    private Outcome cancel(Session session) throws SQLException {
        Backend seen = PgLock.on(mine).locks().pid(session.pid()).list().get(0).backend();
        return Signals.toBlocker(mine, Signal.CANCEL, seen, migration.pid(), new Spared(Set.of(), Set.of()))
                .outcome();
    }

    /** Once the holder has ended, each of the others holds the row for a moment: on a slow machine perhaps for as long as it takes. */
    @Test
    void aGuardedSessionEndsTheHolderAndNobodyAhead() {
        holder.execute("begin", UPDATE);
        List<Running> webs = queueUp(4);
        List<String> said = new CopyOnWriteArrayList<>();
        try (PriorityScope scope = quickly(migration)
                .terminate()
                .only(seen -> said.stream().noneMatch(line -> line.startsWith("Terminated pid " + holder.pid())))
                .listener((level, text) -> said.add(text))
                .start()) {
            migration.execute(UPDATE);
            webs.forEach(Running::await);
            assertThat(scope.actions())
                    .extracting(done -> done.backend().pid(), Signalled::outcome)
                    .containsExactly(tuple(holder.pid(), Outcome.SENT));
        }
        scenario.awaitGone(holder.pid());
    }

    @Test
    void aLockQueryEndsTheHolderAndNobodyAhead() {
        holder.execute("begin", UPDATE);
        List<Running> webs = queueUp(2);
        Running updating = migration.start(UPDATE);
        scenario.awaitBlockedBy(migration, scenario.session("web-1"));

        assertThat(waits()).singleElement().satisfies(wait -> {
            assertThat(wait.blockers())
                    .extracting(blocker -> blocker.backend().pid(), Blocker::hard)
                    .containsExactlyInAnyOrder(
                            tuple(holder.pid(), true),
                            tuple(scenario.session("web-0").pid(), false),
                            tuple(scenario.session("web-1").pid(), false));
            assertThat(wait.hardBlockers().get(0).holds())
                    .extracting(lock -> lock.target().type())
                    .containsExactly(LockTarget.Type.TRANSACTIONID);
        });
        assertThat(PgLock.on(mine).locks().application("migration").terminateBlockers())
                .extracting(done -> done.backend().pid(), Signalled::outcome)
                .containsExactly(tuple(holder.pid(), Outcome.SENT));
        webs.forEach(Running::await);
        updating.await();
        scenario.awaitGone(holder.pid());
    }

    @Test
    void theTreeShowsEachOnceBelowTheFirstInLine() {
        holder.execute("begin", UPDATE);
        queueUp(3);

        LockTree tree = PgLock.on(mine).locks().on("orders").tree();

        assertThat(tree.roots()).singleElement().satisfies(root -> {
            assertThat(root.node().backend().pid()).isEqualTo(holder.pid());
            assertThat(root.victims()).isEqualTo(3);
        });
        assertThat(tree.stream().map(node -> node.backend().pid())).doesNotHaveDuplicates();
        assertThat(tree.toString().lines().toList())
                .satisfiesExactly(
                        line -> assertThat(line).contains(" holder "),
                        line -> assertThat(line).contains("    └─ pid ", " web-0 ", "held: EXCLUSIVE"),
                        line -> assertThat(line).contains("        └┄ pid ", " web-1 ", "queued behind"),
                        line -> assertThat(line).contains("        └┄ pid ", " web-2 ", "queued behind"));
    }

    /** Who is in the way of the first in line is in the way of whoever wants the row as strongly; else he may not be. */
    @ParameterizedTest
    @CsvSource({
        "no key update, no key update, no key update, true",
        "no key update, share, no key update, true",
        "update, key share, update, true",
        "key share, update, update, true",
        "share, update, no key update, false",
        "update, update, key share, false",
    })
    void theHolderIsKnownWhereTheRowIsWantedAsStronglyAsByTheFirst(
            String held, String ahead, String wanted, boolean known) throws SQLException {
        holder.execute("begin", locking(held));
        Session first = scenario.session("first");
        Running firstLocking = first.start("begin", locking(ahead));
        scenario.awaitBlockedBy(first, holder);
        try (PriorityScope scope = quickly(migration).terminate().dryRun().start()) {
            Running locking = migration.start(locking(wanted));
            scenario.awaitBlockedBy(migration, first);
            scenario.await("the first in line is seen", () -> seen(scope, first).isPresent());
            awaitMoreLooks(scope, first);
            awaitMoreLooks(scope, first);

            assertThat(seen(scope, first).orElseThrow().hard()).isFalse();
            assertThat(seen(scope, holder).filter(SeenBlocker::hard).isPresent())
                    .isEqualTo(known);
            assertThat(scope.actions())
                    .extracting(done -> done.backend().pid())
                    .isEqualTo(known ? List.of(holder.pid()) : List.of());
            assertThat(waits().get(0).hardBlockers())
                    .extracting(blocker -> blocker.backend().pid())
                    .isEqualTo(known ? List.of(holder.pid()) : List.of());
            assertThat(cancel(first)).isEqualTo(Outcome.GONE);
            assertThat(cancel(holder)).as("idle").isEqualTo(known ? Outcome.NO_EFFECT : Outcome.GONE);

            holder.commit();
            firstLocking.await();
            first.commit();
            locking.await();
        }
    }

    /** Two hold the row. The first in line waits for one of them, who is in nobody's way but his. */
    @Test
    void whoIsInTheWayOfTheFirstInLineOnlyIsNeverSignalled() throws SQLException {
        holder.execute("begin", locking("key share"));
        Session other = scenario.session("other");
        other.execute("begin", locking("no key update"));
        Session first = scenario.session("first");
        Running firstLocking = first.start("begin", locking("update"));
        scenario.awaitBlockedBy(first, holder);
        try (PriorityScope scope = quickly(migration).terminate().start()) {
            Running locking = migration.start(locking("no key update"));
            scenario.awaitBlockedBy(migration, first);
            scenario.await("the first in line is seen", () -> seen(scope, first).isPresent());
            awaitMoreLooks(scope, first);
            awaitMoreLooks(scope, first);

            assertThat(scope.blockers())
                    .extracting(seen -> seen.backend().pid(), SeenBlocker::hard)
                    .containsExactly(tuple(first.pid(), false));
            assertThat(scope.actions()).isEmpty();
            assertThat(waits().get(0).hardBlockers()).isEmpty();
            assertThat(cancel(holder)).isEqualTo(Outcome.GONE);

            holder.commit();
            scenario.awaitBlockedBy(first, other);
            other.commit();
            firstLocking.await();
            first.commit();
            locking.await();
        }
    }

    @Test
    void aPreparedTransactionThatHoldsTheRowIsReported() {
        scenario.assumePreparedTransactions();
        holder.execute("begin", UPDATE, "prepare transaction 'row'");
        List<Running> webs = queueUp(1);
        try (PriorityScope scope = quickly(migration).terminate().start()) {
            Running updating = migration.start(UPDATE);
            scenario.awaitBlockedBy(migration, scenario.session("web-0"));
            scenario.await(
                    "it is seen",
                    () -> scope.blockers().stream()
                            .anyMatch(seen ->
                                    seen.hard() && seen.backend().preparedGid().equals(Optional.of("row"))));
            awaitMoreLooks(scope, scenario.session("web-0"));
            assertThat(waits().get(0).hardBlockers())
                    .extracting(blocker -> blocker.backend().preparedGid())
                    .containsExactly(Optional.of("row"));
            assertThat(scope.actions()).isEmpty();

            holder.execute("rollback prepared 'row'");
            webs.get(0).await();
            updating.await();
        }
    }
}
