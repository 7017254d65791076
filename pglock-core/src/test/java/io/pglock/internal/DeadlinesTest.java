// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockKey;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeadlinesTest {

    private final long now = System.nanoTime();
    private final Deadlines deadlines = new Deadlines(1_000_000_000);

    private LockRequest add(Duration timeout) {
        LockRequest request = new LockRequest(List.of(LockKey.of(1)), false, "owner", Wait.upTo(timeout));
        deadlines.add(request, now);
        return request;
    }

    @Test
    void keepsNoneForLongThatHasEndedBefore() {
        for (int i = 0; i < 10_000; i++) {
            add(Duration.ofMinutes(1)).giveUp();
        }
        LockRequest waiting = add(Duration.ofHours(1));
        for (int i = 0; i < 200; i++) {
            add(Duration.ofHours(2)).giveUp();
        }

        assertThat(Duration.ofNanos(deadlines.idleFor(now)))
                .as("the next one is that of the only one that waits")
                .isGreaterThan(Duration.ofMinutes(50));
        waiting.notNow(now);
        assertThat(deadlines.expired(now + Duration.ofHours(1).toNanos() + 1_000_000_000))
                .containsExactly(waiting);
    }
}
