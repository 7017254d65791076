// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PgBouncer;
import io.pglock.testkit.PostgresTest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Behind a pooler that gives a server to each transaction nothing is left to another client, and nothing is pretended. */
@PostgresTest
class PoolerTest {

    private final Database database;

    PoolerTest(Database database) {
        this.database = database;
    }

    @Test
    void whatCannotHoldBehindAPoolerIsToldOrRefusedAndTheRestHolds() {
        try (PgBouncer bouncer = PgBouncer.startOrSkip(database, "transaction", Map.of("default_pool_size", "1"));
                ForkedJvm application = AgentJvm.with("", Pooler.class)
                        .arguments(bouncer.url(), database.user(), database.password())
                        .start()) {
            application.awaitLine("armed:", Duration.ofSeconds(50));

            assertThat(application.exitCode()).isZero();
            List<String> output = application.output();
            assertThat(output.stream().filter(line -> !line.contains("[pglock]") && !line.startsWith("locked:")))
                    .as(() -> String.join("\n", output))
                    .containsExactly(
                            "transaction: 1111ms",
                            "transaction, for another client: 0",
                            "transaction, ended outside: 1111ms",
                            "transaction, for another client: 0",
                            "autocommit: 0",
                            "autocommit, for another client: 0",
                            "autocommit: 0",
                            "autocommit, for another client: 0",
                            "prior: 1111ms",
                            "armed: 0");
            assertThat(output)
                    .filteredOn(line -> line.contains("statements in autocommit run through a pooler"))
                    .hasSize(1);
            assertThat(output)
                    .anyMatch(line -> line.contains("[pglock] WARN")
                            && line.contains("Pooler.watched")
                            && line.contains("pooler"));
            assertThat(output)
                    .anyMatch(line ->
                            line.startsWith("locked: LockNotSupportedException") && line.contains("monitorUrl"));
        }
    }
}
