// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import org.junit.jupiter.api.BeforeEach;

/**
 * Two tables, and three sessions to queue up at them: one that holds, a migration that waits, and the web behind it. For test
 * classes to extend.
 */
@PostgresTest
public abstract class QueueScene {

    /** What they play in. */
    protected final Scenario scenario;

    /** Holds something. */
    protected final Session holder;

    /** Waits for it. */
    protected final Session migration;

    /** Queues up behind. */
    protected final Session web;

    /** Opens the three sessions. */
    protected QueueScene(Scenario scenario) {
        this.scenario = scenario;
        this.holder = scenario.session("holder");
        this.migration = scenario.session("migration");
        this.web = scenario.session("web");
    }

    /** Makes {@code orders} and {@code items} anew. */
    @BeforeEach
    protected void tables() {
        holder.execute(
                "drop table if exists orders, items", "create table orders (id int)", "create table items (id int)");
    }
}
