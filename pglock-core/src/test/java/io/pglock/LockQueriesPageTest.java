// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What docs/lock-queries.md shows, played out. */
@PostgresTest
class LockQueriesPageTest {

    private final Scenario scenario;
    private final Connection connection;
    private final Session report;
    private final Session migration;
    private final Session web;
    private final List<String> log = new ArrayList<>();

    LockQueriesPageTest(Scenario scenario, Connection connection) {
        this.scenario = scenario;
        this.connection = connection;
        this.report = scenario.session("report");
        this.migration = scenario.session("migration");
        this.web = scenario.session("web");
    }

    @BeforeEach
    void aReportAMigrationAndAReader() {
        report.execute("drop table if exists orders", "create table orders (id int)");
        report.execute("begin", "select count(*) from orders");
    }

    @Test
    void listing() {
        migration.start("alter table orders add column note text");
        scenario.awaitBlockedBy(migration, report);

        // docs: lock-query-list
        LockQuery locks = PgLock.on(connection).locks();

        for (LockInfo lock : locks.on("orders").list()) {
            log.add(lock.describe());
        }
        // end
        assertThat(log).hasSize(2);
        assertThat(log.get(0)).contains(" waits for ACCESS EXCLUSIVE on orders, for ");
        assertThat(log.get(1)).endsWith(" holds ACCESS SHARE on orders");
    }

    @Test
    void filtering() {
        // docs: lock-query-filters
        List<LockInfo> forgotten = PgLock.on(connection)
                .locks()
                .schema("public")
                .state("idle in transaction")
                .olderThan(Duration.ofMinutes(10))
                .where(lock -> lock.mode().conflictsWith(LockMode.ROW_EXCLUSIVE))
                .sortedBy(LockQuery.Order.OLDEST_TRANSACTION)
                .limit(20)
                .list();
        // end
        assertThat(forgotten).isEmpty();
    }

    @Test
    void seeingTheTree() {
        migration.start("alter table orders add column note text");
        scenario.awaitBlockedBy(migration, report);
        web.start("select * from orders");
        scenario.awaitBlockedBy(web, migration);

        // docs: lock-query-tree
        LockTree tree = PgLock.on(connection).locks().on("orders").tree();

        log.add(tree.toString());
        for (LockTree.Root root : tree.roots()) {
            log.add(root.node().backend().describe() + " holds up " + root.victims() + " sessions");
        }
        // end
        assertThat(log.get(1)).endsWith(" holds up 2 sessions");
    }

    @Test
    void askingWhoIsInTheWay() {
        migration.start("alter table orders add column note text");
        scenario.awaitBlockedBy(migration, report);

        // docs: lock-query-blocked
        LockQuery waits = PgLock.on(connection).locks().application("migration");

        for (BlockedLock wait : waits.blocked()) {
            for (Blocker blocker : wait.hardBlockers()) {
                log.add(wait.waiting().target().describe() + ": " + blocker.describe());
            }
        }
        // end
        assertThat(log).singleElement().asString().startsWith("orders: pid ").endsWith(", which holds ACCESS SHARE");
    }

    @Test
    void gettingTheMigrationThrough() {
        Running altering = migration.start("alter table orders add column note text");
        scenario.awaitBlockedBy(migration, report);

        // docs: lock-query-terminate
        LockQuery waits = PgLock.on(connection).locks().application("migration");

        for (Signalled one : waits.terminateBlockers()) {
            log.add(one.detail());
        }
        // end
        altering.await();
        assertThat(log).singleElement().asString().startsWith("Terminated pid " + report.pid());
    }

    @Test
    void askingBeforeActing() {
        Predicate<List<LockInfo>> confirmed = seen -> seen.size() == 1;

        // docs: lock-query-confirm
        LockQuery held = PgLock.on(connection).locks().on("orders").granted();
        List<LockInfo> seen = held.list();

        if (confirmed.test(seen)) {
            List<Backend> holders = seen.stream().map(LockInfo::backend).toList();
            held.terminate(holders).forEach(one -> log.add(one.detail()));
        }
        // end
        assertThat(log).hasSize(1);
        scenario.awaitGone(report.pid());
    }
}
