// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@PostgresTest
class ScenarioTest {
    private final Scenario scenario;
    private final Session web;
    private final Session migration;

    ScenarioTest(Scenario scenario) {
        this.scenario = scenario;
        this.web = scenario.session("web");
        this.migration = scenario.session("migration");
    }

    @BeforeEach
    void createsTheTable(Connection connection) throws Exception {
        try (var statement = connection.createStatement()) {
            statement.execute("create table if not exists orders (id int)");
        }
    }

    @Test
    void waitsUntilASessionIsReallyBlocked() {
        migration.begin();
        migration.execute("lock table orders");

        Running reading = web.start("select count(*) from orders");
        scenario.awaitBlocked(web);
        scenario.awaitBlockedBy(web, migration);

        assertThat(reading.isDone()).isFalse();
        assertThat(scenario.pidsBlocking(web)).containsExactly(migration.pid());
        assertThat(scenario.lockTable()).contains("orders", "AccessExclusiveLock", "WAITS", "held", "web", "migration");

        migration.commit();
        assertThat(reading.result()).containsExactly("0");
        scenario.awaitNotBlocked(web);
    }
}
