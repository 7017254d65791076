// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.Signalled.Outcome;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** The examples of {@code docs/prioritize.md}, run. */
class PrioritizePageTest extends PrioritizeScene {

    PrioritizePageTest(Scenario scenario, DataSource dataSource) {
        super(scenario, dataSource);
    }

    @Test
    void getsAMigrationThrough(Connection connection) throws SQLException {
        Session web = idleInTransaction("web");
        List<String> log = new ArrayList<>();
        try (Statement statement = connection.createStatement()) {
            // docs: prioritize-terminate
            try (PriorityScope scope =
                    PgLock.on(connection).prioritize(dataSource).terminate().start()) {
                statement.execute("alter table orders add column extra int");
                scope.actions().forEach(done -> log.add(done.detail()));
            }
            // end
        }
        assertThat(log)
                .singleElement()
                .asString()
                .startsWith("Terminated pid " + web.pid() + " (web, idle in transaction for ");
    }

    @Test
    void setsEverything(Connection connection) throws SQLException {
        Session web = idleInTransaction("reporting");
        List<String> log = new ArrayList<>();
        try (Statement statement = connection.createStatement()) {
            // docs: prioritize-all
            Prioritize request = PgLock.on(connection)
                    .prioritize(dataSource)
                    .terminate()
                    .after(Duration.ofMillis(500)) // what we wait ourselves before anybody is signalled
                    .grace(Duration.ofSeconds(5)) // from the cancel to the terminate
                    .minAge(Duration.ofMillis(100)) // spare transactions that are younger
                    .protect("billing", "nightly") // application or role names, besides pg_dump and pg_basebackup
                    .unless(blocker -> blocker.backend().state().equals(Optional.of("active")))
                    .listener((level, message) -> log.add(level + " " + message));
            // end
            try (PriorityScope scope = request.start()) {
                statement.execute(ALTER);
                assertThat(sentTo(scope)).containsExactly(web.pid());
            }
        }
        assertThat(log).hasSize(2);
    }

    @Test
    void triesItOutFirst(Connection connection) throws SQLException {
        Session web = idleInTransaction("web");
        try (Statement statement = connection.createStatement()) {
            statement.execute("set lock_timeout = '3s'");
            // docs: prioritize-dry-run
            try (PriorityScope scope = PgLock.on(connection)
                    .prioritize(dataSource)
                    .terminate()
                    .dryRun()
                    .start()) {
                assertThat(catchLockTimeout(statement)).isTrue();
                assertThat(scope.actions()).extracting(Signalled::outcome).containsOnly(Outcome.DRY_RUN);
                assertThat(scope.blockers()).extracting(SeenBlocker::hard).containsOnly(true);
            }
            // end
            statement.execute("reset lock_timeout");
        }
        assertThat(isAlive(web)).isTrue();
    }

    private static boolean catchLockTimeout(Statement statement) {
        try {
            statement.execute(ALTER);
            return false;
        } catch (SQLException e) {
            return "55P03".equals(e.getSQLState());
        }
    }

    @Test
    void decidesForEachBlocker(Connection connection) throws SQLException {
        Session web = idleInTransaction("web");
        try (Statement statement = connection.createStatement()) {
            // docs: prioritize-action
            try (PriorityScope scope = PgLock.on(connection)
                    .prioritize(dataSource)
                    .action(blocker -> blocker.backend().application().equals(Optional.of("web"))
                            ? Optional.of(Signal.TERMINATE)
                            : Optional.empty())
                    .start()) {
                statement.execute("alter table orders add column extra int");
                assertThat(scope.actions()).allMatch(Signalled::sent);
            }
            // end
        }
        scenario.awaitGone(web.pid());
    }
}
