// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import org.junit.jupiter.api.BeforeEach;

/** Two tables, and three sessions to queue up at them: one that holds, a migration that waits, and the web behind it. */
@PostgresTest
abstract class QueueScene {

    final Scenario scenario;
    final Connection mine;
    final Session holder;
    final Session migration;
    final Session web;

    QueueScene(Scenario scenario, Connection mine) {
        this.scenario = scenario;
        this.mine = mine;
        this.holder = scenario.session("holder");
        this.migration = scenario.session("migration");
        this.web = scenario.session("web");
    }

    @BeforeEach
    void tables() {
        holder.execute(
                "drop table if exists orders, items", "create table orders (id int)", "create table items (id int)");
    }
}
