// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.pglock.bench.Server;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class FiguresTest {

    private static Client.Ran ran(long begin, long end, String failure) {
        return new Client.Ran(TimeUnit.MILLISECONDS.toNanos(begin), TimeUnit.MILLISECONDS.toNanos(end), failure);
    }

    @Test
    void whatFellDueDuringAStallHasWaitedSinceThen() {
        Figures.Latencies latencies = Figures.Latencies.of(List.of(ran(0, 100, ""), ran(120, 121, "")));
        assertThat(latencies.longest()).isEqualTo(100);
        // 100, 80, 60, 40, 20 and 1
        assertThat(latencies.median()).isEqualTo(40);
    }

    @Test
    void countsStallsPerSessionAndWhoWasEndedThoughHeWasInNobodysWay() {
        try (var server = new Server()) {
            Client reader = new Client(server, Client.Kind.READER, 0, 1);
            reader.ran().addAll(List.of(ran(10, 210, ""), ran(220, 221, ""), ran(300, 400, "")));
            Client writer = new Client(server, Client.Kind.WRITER, 0, 1);
            writer.ran().addAll(List.of(ran(10, 59, ""), ran(100, 101, "57P01")));
            Blocker report = new Blocker(server, "report", false, 0, List.of());
            report.held().add(new Blocker.Held(0, TimeUnit.MILLISECONDS.toNanos(380), ""));
            report.held().add(new Blocker.Held(0, TimeUnit.MILLISECONDS.toNanos(900), "57014"));

            Figures figures = Figures.of(
                    List.of(reader, writer),
                    List.of(report),
                    0,
                    Optional.of(TimeUnit.MILLISECONDS.toNanos(400)),
                    TimeUnit.SECONDS.toNanos(1));

            assertThat(figures.longestStall()).isEqualTo(200);
            assertThat(figures.longestInAll()).isEqualTo(300);
            assertThat(figures.blocked()).isEqualTo(300);
            assertThat(figures.through()).contains(400.0);
            assertThat(figures.afterBlockers().orElseThrow()).isCloseTo(20, within(0.001));
            assertThat(figures.signalled()).isEqualTo(2);
            assertThat(figures.innocents()).isEqualTo(1);
        }
    }
}
