// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class WireTest {
    private final ByteArrayOutputStream arrived = new ByteArrayOutputStream();
    private final Network network = new Network();

    @Test
    void deliversAtOnceOnTheThreadThatWrites() throws IOException {
        try (var wire = new Wire(arrived, network)) {
            send(wire, "a");

            assertThat(arrived).hasToString("a");
        }
    }

    @Test
    void whatIsSentWithoutDelayDoesNotOvertakeWhatWasDelayed() throws IOException {
        var wire = new Wire(arrived, network);
        network.delay(Duration.ofMillis(200));
        send(wire, "slow ");
        network.delay(Duration.ZERO);
        send(wire, "fast");
        assertThat(arrived).hasToString("");

        wire.close();

        assertThat(arrived).hasToString("slow fast");
    }

    @Test
    void delaysAllThatIsUnderWayAtTheSameTime() throws IOException {
        network.delay(Duration.ofMillis(300));
        long start = System.nanoTime();
        try (var wire = new Wire(arrived, network)) {
            for (int i = 0; i < 500; i++) {
                send(wire, "x");
            }
        }

        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .isBetween(Duration.ofMillis(300), Duration.ofSeconds(10));
        assertThat(arrived.size()).isEqualTo(500);
    }

    @Test
    void tellsTheSenderThatTheOtherSideIsGoneInsteadOfLettingItWaitForRoom() throws IOException {
        network.delay(Duration.ofMillis(1));
        var gone = new OutputStream() {
            @Override
            public void write(int single) throws IOException {
                throw new IOException("broken pipe");
            }
        };
        try (var wire = new Wire(gone, network)) {
            assertThatThrownBy(() -> {
                        for (int i = 0; i < 1_000_000; i++) {
                            send(wire, "x");
                        }
                    })
                    .isInstanceOf(IOException.class)
                    .hasMessage("broken pipe");
        }
    }

    private static void send(OutputStream wire, String text) throws IOException {
        wire.write(text.getBytes(StandardCharsets.UTF_8));
    }
}
