// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.watch;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.Backend;
import io.pglock.LockInfo;
import io.pglock.LockQuery;
import io.pglock.LockTree;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

@PostgresTest
class SightTest {

    /** Between the key that chooses another one and the next look. */
    @Test
    void theLocksOfWhoWasLookedAtAreNotThoseOfWhoIsChosenNow(Scenario scenario) {
        Session before = scenario.session("before");
        before.execute("begin", "select pg_advisory_lock(1)");
        Session now = scenario.session("now");
        now.execute("begin", "select pg_advisory_lock(2)");
        LockQuery all = LockQuery.on(scenario.observer());
        List<LockInfo> locks = all.pid(before.pid()).list();

        Sight sight = new Sight(new LockTree(List.of(), List.of()), Instant.now(), locks);

        assertThat(sight.locksOf(backend(all, before))).isNotEmpty().isEqualTo(locks);
        assertThat(sight.locksOf(backend(all, now))).isEmpty();
    }

    private static Backend backend(LockQuery all, Session session) {
        return all.pid(session.pid()).list().get(0).backend();
    }
}
