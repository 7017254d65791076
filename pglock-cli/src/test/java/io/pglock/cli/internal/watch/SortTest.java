// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.watch;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockQuery;
import io.pglock.LockTree;
import io.pglock.testkit.QueueScene;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class SortTest extends QueueScene {

    SortTest(Scenario scenario) {
        super(scenario);
    }

    /** Three who have just come have waited for longer than one, added up; but nobody of them has. */
    @Test
    void theLongestWaitIsThatOfOne() {
        holder.execute("begin", "lock table items");
        web.start("select * from items");
        scenario.awaitBlockedBy(web, holder);
        LockQuery all = LockQuery.on(scenario.observer());
        scenario.await("a wait of some length", () -> longest(all).compareTo(Duration.ofMillis(400)) > 0);
        Session many = scenario.session("many");
        many.execute("begin", "lock table orders");
        for (int i = 0; i < 3; i++) {
            Session one = scenario.session("one" + i);
            one.start("select * from orders");
            scenario.awaitBlockedBy(one, many);
        }
        scenario.await("more in all", () -> total(all, many).compareTo(total(all, holder)) > 0);

        assertThat(roots(all, Sort.VICTIMS)).containsExactly(many.pid(), holder.pid());
        assertThat(roots(all, Sort.WAIT)).containsExactly(holder.pid(), many.pid());
    }

    private static List<Integer> roots(LockQuery all, Sort sort) {
        return all.tree().roots().stream()
                .sorted(sort.order())
                .map(root -> root.node().backend().pid())
                .toList();
    }

    private static Duration total(LockQuery all, Session session) {
        return all.tree().roots().stream()
                .filter(root -> root.node().backend().pid() == session.pid())
                .findFirst()
                .map(LockTree.Root::totalWait)
                .orElseThrow();
    }

    private Duration longest(LockQuery all) {
        return total(all, holder);
    }
}
