// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.testkit.LiveThreads;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;

/** A table of orders, sessions that use it, and a migration that wants it. */
@PostgresTest
abstract class PrioritizeScene {

    static final String ALTER = "alter table orders add column extra int";

    final Scenario scenario;
    final DataSource dataSource;

    PrioritizeScene(Scenario scenario, DataSource dataSource) {
        this.scenario = scenario;
        this.dataSource = dataSource;
    }

    @BeforeEach
    void orders(Connection connection) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute("drop table if exists orders");
            statement.execute("create table orders (id int primary key, note text)");
            statement.execute("insert into orders values (1, 'a'), (2, 'b')");
        }
    }

    /** Looks every 10 ms and acts after 50 ms, with a grace of 200 ms. */
    Prioritize quickly(Session session) {
        return quickly(session, dataSource);
    }

    Prioritize quickly(Session session, DataSource side) {
        return PgLock.on(session.connection())
                .prioritize(side)
                .every(Duration.ofMillis(10))
                .after(Duration.ofMillis(50))
                .grace(Duration.ofMillis(200));
    }

    /** A session that has read orders in a transaction that it keeps open. */
    Session idleInTransaction(String name) {
        Session session = scenario.session(name);
        session.begin();
        session.execute("select count(*) from orders");
        return session;
    }

    /** Runs for minutes unless it is cancelled, holding a lock on orders. */
    Running busy(Session session) {
        session.begin();
        session.execute("select count(*) from orders");
        Running query = session.start("select pg_sleep(300)");
        scenario.awaitState(session, "active");
        return query;
    }

    /** Waits until the watch has looked again some times and still sees this blocker. */
    void awaitMoreLooks(PriorityScope scope, Session blocker) {
        Duration before = seen(scope, blocker).map(SeenBlocker::waited).orElse(Duration.ZERO);
        scenario.await(
                "the watch keeps looking",
                () -> seen(scope, blocker)
                        .filter(each -> each.waited().compareTo(before.plusMillis(100)) > 0)
                        .isPresent());
    }

    static List<Integer> sentTo(PriorityScope scope) {
        return scope.actions().stream()
                .filter(Signalled::sent)
                .map(done -> done.backend().pid())
                .toList();
    }

    static Optional<SeenBlocker> seen(PriorityScope scope, Session session) {
        return scope.blockers().stream()
                .filter(each -> each.backend().pid() == session.pid())
                .findFirst();
    }

    static boolean isAlive(Session session) {
        return session.execute("select 1").equals(List.of("1"));
    }

    static List<Thread> watchThreads() {
        return LiveThreads.named("pglock-watch");
    }

    void awaitWarning(PriorityScope scope) {
        scenario.await("a warning", () -> !scope.warnings().isEmpty());
    }
}
