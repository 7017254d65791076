// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class AwaitTest {
    @Test
    void looksUntilItIsTrue() {
        var looks = new AtomicInteger();

        Await.until(Duration.ofSeconds(10), "three looks", () -> looks.incrementAndGet() == 3, () -> "");

        assertThat(looks).hasValue(3);
    }

    @Test
    void givesUpNamingWhatItWaitedForAndWhatIsThereInstead() {
        assertThatThrownBy(() -> Await.until(Duration.ofMillis(20), "the end", () -> false, () -> "locks: many"))
                .isInstanceOf(AssertionError.class)
                .hasMessage("waited 20 ms for the end\nlocks: many");
    }

    @Test
    void passesOnAFailureOfTheLook() {
        assertThatThrownBy(() -> Await.until(
                        Duration.ofSeconds(10),
                        "the end",
                        () -> {
                            throw new IOException("broken");
                        },
                        () -> ""))
                .isInstanceOf(AssertionError.class)
                .hasMessage("waiting for the end: java.io.IOException: broken")
                .hasCauseInstanceOf(IOException.class);
    }

    @Test
    void survivesDetailsThatFail() {
        assertThatThrownBy(() -> Await.until(Duration.ZERO, "the end", () -> false, () -> {
                    throw new IOException("broken");
                }))
                .hasMessageContaining("nothing more is known: java.io.IOException: broken");
    }

    @Test
    void endsWhenTheTestIsInterrupted() {
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(() -> Await.until(Duration.ofSeconds(10), "the end", () -> false, () -> ""))
                    .hasMessage("interrupted while waiting for the end");
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }
}
