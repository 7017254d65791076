// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two Liquibases as processes, with the same changelog: what is locked, and what is left when one is killed. */
class LiquibaseChangelogLockTest extends ShopScene {

    private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(4);
    private static final Map<String, String> SETTINGS =
            Map.of("changelogLock", "advisory", "lockTimeout", LOCK_TIMEOUT.toMillis() + "ms", "retryDeadline", "2m");

    /** How often one that waits tries again, and what a busy machine needs to notice. */
    private static final Duration POLL = Duration.ofMillis(500);

    private static final Duration MARGIN = Duration.ofSeconds(2);

    @Test
    void aNewerLiquibaseWaitsUntilAnOlderOneIsDone(Database database, Scenario scenario) throws Exception {
        Session web = readerOfOrders(scenario);

        try (HostProcess older = start(commandLine("4.29"), database, SETTINGS)) {
            awaitWaiterForOrders(scenario, older);
            try (HostProcess newer = start(commandLine("5"), database, SETTINGS)) {
                awaitWaiterForTheChangelog(scenario, newer);
                assertThat(history(scenario.session("test"))).containsExactly("1|t");
                web.commit();

                assertThat(older.exitCode()).as(older.output()).isZero();
                assertThat(newer.exitCode()).as(newer.output()).isZero();
                assertThat(newer.output()).doesNotContain("Running Changeset");
            }
        }

        assertThatV2IsThereOnce(scenario);
    }

    @ParameterizedTest
    @ValueSource(strings = {"command line", "Spring Boot"})
    void whoWaitsForOneThatIsKilledGoesOnWhenItsLockTimeoutIsOver(String host, Database database, Scenario scenario)
            throws Exception {
        boolean boot = host.equals("Spring Boot");
        Host killed = boot ? application("3.5") : commandLine("4.29");
        Host next = boot ? application("4.1") : commandLine("5");
        Session web = readerOfOrders(scenario);

        try (HostProcess first = start(killed, database, SETTINGS)) {
            int migration = awaitWaiterForOrders(scenario, first);
            try (HostProcess second = start(next, database, SETTINGS)) {
                awaitWaiterForTheChangelog(scenario, second);
                // so that its statement has just begun to wait, or waits since it was killed at the latest
                first.kill();
                long killedAt = System.nanoTime();
                scenario.awaitGone(migration);
                awaitWaiterForOrders(scenario, second);
                assertThat(Duration.ofNanos(System.nanoTime() - killedAt))
                        .isLessThan(LOCK_TIMEOUT.plus(POLL).plus(MARGIN));
                web.commit();

                assertThat(second.exitCode()).as(second.output()).isZero();
            }
        }

        assertThatV2IsThereOnce(scenario);
    }

    /** What Liquibase does: pglock leaves that as it is, unless told otherwise. */
    @Test
    void theRowOfOneThatIsKilledStaysUntilItIsReleased(Database database, Scenario scenario) throws Exception {
        LiquibaseHome home = LiquibaseHome.of("4.33");
        Map<String, String> table = Map.of("changelogLock", "table", "lockTimeout", "1s");
        Session web = readerOfOrders(scenario);

        try (HostProcess killed = start(commandLine("4.33"), database, table)) {
            int migration = awaitWaiterForOrders(scenario, killed);
            killed.kill();
            scenario.awaitGone(migration);
        }
        web.commit();

        assertThat(changelogIsLocked(scenario.session("test"))).isTrue();
        Host impatient = (where, folder, settings) -> {
            ProcessBuilder update = home.update(where, List.of());
            update.environment().put("LIQUIBASE_CHANGELOG_LOCK_WAIT_TIME_IN_MINUTES", "0");
            return update;
        };
        try (HostProcess next = start(impatient, database, Map.of())) {
            assertThat(next.exitCode()).as(next.output()).isNotZero();
            assertThat(next.output()).contains("Could not acquire change log lock");
        }
        try (HostProcess release = start(
                (where, folder, settings) -> home.command(where, List.of(), "release-locks"), database, Map.of())) {
            assertThat(release.exitCode()).as(release.output()).isZero();
        }
        try (HostProcess next = start(impatient, database, Map.of())) {
            assertThat(next.exitCode()).as(next.output()).isZero();
        }
        assertThatV2IsThereOnce(scenario);
    }

    private static Host commandLine(String version) throws IOException {
        return LiquibaseCommandLineTest.channels(LiquibaseHome.of(version)).get(LiquibaseCommandLineTest.PROPERTIES);
    }

    private static Host application(String boot) {
        return SpringBootJar.withLiquibase(boot).channels().get("an argument");
    }

    private static void awaitWaiterForTheChangelog(Scenario scenario, HostProcess host) {
        scenario.await("the next one to wait for the changelog lock", () -> {
            assertThat(host.isAlive()).as(host.output()).isTrue();
            return host.output().contains("Waiting for changelog lock");
        });
    }
}
