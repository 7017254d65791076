// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** Scopes that share a watch, and are to be looked after at different intervals. */
class WatchPaceTest extends PrioritizeScene {

    WatchPaceTest(Scenario scenario, DataSource dataSource) {
        super(scenario, dataSource);
    }

    @Test
    void aScopeIsNotHeldUpByOneThatIsLookedAfterMoreRarely(Connection other) {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        Prioritize rarely = PgLock.on(other)
                .prioritize(dataSource)
                .every(Duration.ofMinutes(10))
                .requireSideConnection();

        try (PriorityScope first = rarely.start(); // has looked once when this returns
                PriorityScope second = quickly(migration).start()) {
            migration.start(ALTER);

            scenario.await("the blocker to be seen", () -> seen(second, web).isPresent());
            web.rollback();
        }
    }
}
