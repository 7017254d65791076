// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Liquibase's command line without pglock in it: the agent is given to its JVM, and every changeset is one unit. */
class AgentLiquibaseTest extends ShopScene {

    private static final String TARGET = "target=liquibase.changelog.ChangeSet#execute("
            + "liquibase.changelog.DatabaseChangeLog,"
            + "liquibase.changelog.visitor.ChangeExecListener,"
            + "liquibase.database.Database)";

    @ParameterizedTest
    @ValueSource(strings = {"4.27", "5"})
    void getsThroughByTerminatingTheBlocker(String liquibase, Database database, Scenario scenario) throws Exception {
        Session web = readerOfOrders(scenario);

        try (HostProcess host = update(liquibase, database, TARGET, "lockTimeout=20s", "prioritize=terminate")) {
            assertThat(host.exitCode()).as(host.output()).isZero();
            assertThat(host.output())
                    .contains("blocked by pid " + web.pid() + " (web, idle in transaction for ")
                    .contains("Terminated pid " + web.pid() + " (web, idle in transaction for ");
        }

        scenario.awaitGone(web.pid());
        assertThatV2IsThereOnce(scenario);
    }

    @Test
    void namesTheBlockerAndDoesNotTryAgainWhatLiquibaseRollsBackLater(Database database, Scenario scenario)
            throws Exception {
        Session web = readerOfOrders(scenario);

        try (HostProcess host =
                update("5", database, TARGET, "lockTimeout=2s", "prioritize=report", "retryDeadline=1m")) {
            assertThat(host.exitCode()).as(host.output()).isNotZero();
            assertThat(host.output())
                    .contains("canceling statement due to lock timeout")
                    .contains("blocked by pid " + web.pid() + " (web, idle in transaction for ")
                    .contains("not tried again: a transaction that it used is still open");
        }

        assertThatNothingIsLeftOfV2(scenario, web);
    }

    private HostProcess update(String liquibase, Database database, String... settings) throws IOException {
        ProcessBuilder update = LiquibaseHome.withoutPglock(liquibase).update(database, List.of());
        update.environment().put("JAVA_OPTS", AgentJar.with(settings));
        if (liquibase.equals("5")) {
            update.environment().put("JAVA_HOME", AgentJar.newestJavaHome());
        }
        return HostProcess.start(update, folder);
    }
}
