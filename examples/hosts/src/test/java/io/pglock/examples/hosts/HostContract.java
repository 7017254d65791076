// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import io.pglock.testkit.Database;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What pglock does in every host of Flyway and of Liquibase: a process of its own, and somebody who is really in its way. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class HostContract extends ShopScene {

    /** A setting that is wrong, and what is said about it. */
    private record Mistake(Host channel, String key, String value, String message) {}

    /** The host, by the name of each way in which settings are written in it. The first one is good for everything. */
    abstract Map<String, Host> channels() throws IOException;

    /** What the host itself says of a lock timeout that is the end. */
    List<String> ownError() {
        return List.of("canceling statement due to lock timeout", "55P03");
    }

    @Test
    void getsThroughASessionThatIsIdleInATransaction(Database database, Scenario scenario) throws Exception {
        Session web = readerOfOrders(scenario);

        try (HostProcess host = start(firstChannel(), database, Map.of("prioritize", "terminate"))) {
            assertThat(host.exitCode()).as(host.output()).isZero();
            assertThat(host.output())
                    .contains("blocked by pid " + web.pid() + " (web, idle in transaction for ")
                    .contains("Terminated pid " + web.pid() + " (web, idle in transaction for ");
        }

        scenario.awaitGone(web.pid());
        assertThatV2IsThereOnce(scenario);
    }

    @Test
    void triesAgainInTheSameRunUntilTheBlockerIsGone(Database database, Scenario scenario) throws Exception {
        Session web = readerOfOrders(scenario);

        try (HostProcess host = start(
                firstChannel(),
                database,
                Map.of("prioritize", "report", "lockTimeout", "3s", "retryDelay", "2s", "retryDeadline", "2m"))) {
            int migration = awaitWaiterForOrders(scenario, host);
            awaitPauseWithoutLocks(scenario, host, migration);
            web.commit();

            assertThat(host.exitCode()).as(host.output()).isZero();
            assertThat(host.output())
                    .contains("blocked by pid " + web.pid() + " (web, idle in transaction for ")
                    .contains("(attempt 2");
        }

        assertThatV2IsThereOnce(scenario);
    }

    @Test
    void givesUpWithTheHostsOwnErrorAndTheBlockerNamed(Database database, Scenario scenario) throws Exception {
        Session web = readerOfOrders(scenario);

        try (HostProcess host = start(
                firstChannel(),
                database,
                Map.of("prioritize", "report", "lockTimeout", "3s", "retryAttempts", "2", "retryDelay", "100ms"))) {
            assertThat(host.exitCode()).as(host.output()).isNotZero();
            assertThat(host.output())
                    .contains(ownError())
                    .contains("(attempt 2")
                    .contains("blocked by pid " + web.pid() + " (web, idle in transaction for ");
        }

        assertThatNothingIsLeftOfV2(scenario, web);
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void failsBeforeTheFirstMigrationWhen(Mistake mistake, Database database, Scenario scenario, TestInfo info)
            throws Exception {
        try (HostProcess host = start(mistake.channel(), database, Map.of(mistake.key(), mistake.value()))) {
            assertThat(host.exitCode())
                    .as(info.getDisplayName() + "\n" + host.output())
                    .isNotZero();
            // a flag has hyphens, a variable of the environment is in upper case
            assertThat(host.output().replaceAll("(?<=[a-zA-Z])[-_](?=[a-zA-Z])", ""))
                    .as(info.getDisplayName())
                    .containsIgnoringCase(mistake.message());
        }

        Session test = scenario.session("test");
        assertThat(history(test)).isEmpty();
        assertThat(test.value("select count(*) from shop.log")).isEqualTo("0");
    }

    Stream<Arguments> mistakes() throws IOException {
        return channels().entrySet().stream()
                .flatMap(channel -> Stream.concat(
                        Stream.of(argumentSet(
                                "a duration has no unit in " + channel.getKey(),
                                new Mistake(
                                        channel.getValue(),
                                        "lockTimeout",
                                        "5",
                                        "lockTimeout=5: a bare number has no unit; write 5s or 5ms"))),
                        hidesUnknownKeys(channel.getKey())
                                ? Stream.of()
                                : Stream.of(argumentSet(
                                        "a key is misspelt in " + channel.getKey(),
                                        new Mistake(channel.getValue(), "lockTimeot", "5s", "lockTimeot")))));
    }

    /** Whether the host shows pglock nothing in there but what it asks for by name. */
    boolean hidesUnknownKeys(String channel) {
        return false;
    }

    private Host firstChannel() throws IOException {
        return channels().values().iterator().next();
    }
}
