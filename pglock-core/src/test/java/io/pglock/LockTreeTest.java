// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.QueueScene;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

class LockTreeTest extends QueueScene {

    private final Connection mine;

    LockTreeTest(Scenario scenario, Connection mine) {
        super(scenario);
        this.mine = mine;
    }

    @Test
    void nobodyWaits() {
        LockTree tree = tree();

        assertThat(tree.isEmpty()).isTrue();
        assertThat(tree.roots()).isEmpty();
        assertThat(tree).hasToString("nobody waits for a lock\n");
    }

    @Test
    void readersBehindAMigrationBehindAnIdleTransaction() {
        holder.execute("begin", "select * from orders");
        migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);
        web.start("select count(*) from orders");
        scenario.awaitBlockedBy(web, migration);

        LockTree tree = tree();
        LockTree.Root root = tree.roots().get(0);
        assertThat(tree.roots()).hasSize(1);
        assertThat(root.victims()).isEqualTo(2);
        assertThat(root.totalWait()).isPositive();
        assertThat(pids(tree)).containsExactly(holder.pid(), migration.pid(), web.pid());
        LockTree.Node altering = root.node().waiters().get(0);
        assertThat(altering.behind()).hasValueSatisfying(behind -> {
            assertThat(behind.hard()).isTrue();
            assertThat(behind.modes()).isEqualTo("ACCESS SHARE");
        });
        LockTree.Node reading = altering.waiters().get(0);
        assertThat(reading.behind())
                .hasValueSatisfying(behind -> assertThat(behind.hard()).isFalse());
        assertThat(reading.waitingFor().map(LockInfo::mode)).contains(LockMode.ACCESS_SHARE);

        List<String> lines = tree.toString().lines().toList();
        assertThat(lines).hasSize(3);
        assertThat(lines.get(0))
                .matches("pid " + holder.pid()
                        + " holder +idle in transaction for \\S+ +blocks 2, who have waited \\S+ in all +"
                        + "\"select \\* from orders\"");
        assertThat(lines.get(1))
                .matches("    └─ pid " + migration.pid()
                        + " migration +waits \\S+ for ACCESS EXCLUSIVE on orders +held: ACCESS SHARE +"
                        + "\"alter table orders add note text\"");
        assertThat(lines.get(2))
                .matches("        └┄ pid " + web.pid() + " web +waits \\S+ for ACCESS SHARE on orders +queued behind +"
                        + "\"select count\\(\\*\\) from orders\"");
    }

    @Test
    void aHundredAndTwentyQueuedMigrationsAreAHundredAndTwentyOneNodes(TestReporter reporter) {
        holder.execute("begin", "select * from orders");
        List<Session> queue = new ArrayList<>();
        for (int i = 0; i < 120; i++) {
            Session one = scenario.session("migration-" + i);
            one.start("alter table orders add column c" + i + " int");
            queue.add(one);
        }
        scenario.awaitBlocked(queue.toArray(Session[]::new));

        long began = System.nanoTime();
        LockTree first = tree();
        long firstTook = System.nanoTime() - began;
        began = System.nanoTime();
        LockTree tree = tree();
        long took = System.nanoTime() - began;
        reporter.publishEntry(
                "tree() with 120 waiters",
                Duration.ofNanos(firstTook).toMillis() + " ms, then "
                        + Duration.ofNanos(took).toMillis() + " ms");
        assertThat(pids(first)).hasSize(121);
        assertThat(pids(tree)).hasSize(121).doesNotHaveDuplicates();
        assertThat(tree.roots())
                .singleElement()
                .satisfies(root -> assertThat(root.victims()).isEqualTo(120));
        assertThat(tree.toString().lines()).hasSize(121);
        assertThat(tree.toString()).contains(", also behind ").contains(" more");
    }

    @Test
    void aDeadlockIsShownOnceAndMarked() {
        holder.execute("set deadlock_timeout = '1min'", "begin", "lock table orders");
        migration.execute("set deadlock_timeout = '1min'", "begin", "lock table items");
        holder.start("lock table items");
        migration.start("lock table orders");
        scenario.awaitBlocked(holder, migration);
        web.start("select * from orders");
        scenario.awaitBlocked(web);

        LockTree tree = tree();
        assertThat(tree.roots()).hasSize(1);
        assertThat(pids(tree)).containsExactlyInAnyOrder(holder.pid(), migration.pid(), web.pid());
        assertThat(tree.stream()
                        .filter(LockTree.Node::deadlocked)
                        .map(node -> node.backend().pid()))
                .containsExactlyInAnyOrder(holder.pid(), migration.pid());
        assertThat(tree.roots().get(0).victims()).isEqualTo(2);
        assertThat(tree.roots().get(0).node().alsoBehind()).hasSize(1);
        assertThat(tree.toString().lines().filter(line -> line.contains("DEADLOCK")))
                .hasSize(2);
    }

    @Test
    void whoWaitsForTwoIsShownBelowTheOlderAndCountsForBoth() {
        holder.execute("begin", "select * from orders");
        web.execute("begin", "select * from orders");
        migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, web);

        LockTree tree = tree();
        assertThat(pids(tree)).containsExactlyInAnyOrder(holder.pid(), migration.pid(), web.pid());
        assertThat(tree.roots())
                .hasSize(2)
                .allSatisfy(root -> assertThat(root.victims()).isEqualTo(1));
        LockTree.Node altering = tree.stream()
                .filter(node -> node.backend().pid() == migration.pid())
                .findFirst()
                .orElseThrow();
        assertThat(altering.behind().map(behind -> behind.backend().pid())).contains(holder.pid());
        assertThat(altering.alsoBehind())
                .extracting(blocker -> blocker.backend().pid())
                .containsExactly(web.pid());
    }

    @Test
    void theWorstTreeIsFirst() {
        web.execute("begin", "select * from items");
        holder.execute("begin", "select * from orders");
        List<Session> behindOrders = List.of(scenario.session("a"), scenario.session("b"));
        behindOrders.forEach(session -> session.start("alter table orders add " + session.name() + " int"));
        migration.start("alter table items add note text");
        scenario.awaitBlocked(migration, behindOrders.get(0), behindOrders.get(1));

        assertThat(tree().roots())
                .extracting(root -> root.node().backend().pid(), LockTree.Root::victims)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(holder.pid(), 2),
                        org.assertj.core.groups.Tuple.tuple(web.pid(), 1));
    }

    @Test
    void filtersChooseWholeTrees() {
        web.execute("begin", "select * from items");
        holder.execute("begin", "select * from orders");
        scenario.session("a").start("alter table orders add note text");
        migration.start("alter table items add note text");
        scenario.awaitBlocked(migration, scenario.session("a"));

        assertThat(pids(PgLock.on(mine).locks().on("items").tree())).containsExactly(web.pid(), migration.pid());
        assertThat(pids(PgLock.on(mine).locks().pid(holder.pid()).tree()))
                .containsExactly(holder.pid(), scenario.session("a").pid());
        assertThat(PgLock.on(mine).locks().application("nobody").tree().isEmpty())
                .isTrue();
    }

    @Test
    void aPreparedTransactionIsARoot() {
        scenario.assumePreparedTransactions();
        holder.execute("begin", "insert into orders values (1)", "prepare transaction 'forgotten'");
        migration.start("alter table orders add note text");
        scenario.awaitBlocked(migration);

        LockTree tree = tree();
        assertThat(tree.roots()).singleElement().satisfies(root -> {
            assertThat(root.node().backend().preparedGid()).contains("forgotten");
            assertThat(root.victims()).isEqualTo(1);
        });
        assertThat(tree.toString()).startsWith("prepared \"forgotten\"").contains("held: ROW EXCLUSIVE");
        holder.execute("rollback prepared 'forgotten'");
    }

    @Test
    void namesThatOthersHaveChosenDoNothingToATerminal() {
        holder.execute(
                "create table if not exists \"red\u001b[31m\" (id int)", "begin", "select * from \"red\u001b[31m\"");
        migration.start("alter table \"red\u001b[31m\" add note text");
        scenario.awaitBlockedBy(migration, holder);

        assertThat(tree().toString())
                .contains("ACCESS EXCLUSIVE on \"red?[31m\"")
                .doesNotContain("\u001b");
    }

    @Test
    void norDoesThatOfAPreparedTransaction() {
        scenario.assumePreparedTransactions();
        holder.execute("begin", "insert into orders values (1)", "prepare transaction 'red\u001b[31m'");
        migration.start("alter table orders add note text");
        scenario.awaitBlocked(migration);

        assertThat(tree().toString()).startsWith("prepared \"red?[31m\"").doesNotContain("\u001b");
        holder.execute("rollback prepared 'red\u001b[31m'");
    }

    private LockTree tree() {
        return PgLock.on(mine).locks().database(scenario.database().name()).tree();
    }

    private static List<Integer> pids(LockTree tree) {
        return tree.stream().map(node -> node.backend().pid()).toList();
    }
}
