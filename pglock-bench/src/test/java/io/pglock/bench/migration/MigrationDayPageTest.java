// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.migration;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MigrationDayPageTest {

    private static Figures figures(double stall, Optional<Double> through, int ended) {
        var latencies = new Figures.Latencies(0.2, stall / 2, stall);
        return new Figures(
                latencies, latencies, stall, 2 * stall, 24 * stall, through, through.map(all -> 30.0), ended, 0);
    }

    @Test
    void theWorstRoundCountsForTheStallAndAWayThatNeverGetsThroughSaysSo() {
        Map<Way, List<Figures>> all = new LinkedHashMap<>();
        all.put(
                new Way("no tool", "Flyway", false, false, (server, flyway) -> () -> true),
                List.of(figures(9_000, Optional.empty(), 0), figures(10_000, Optional.empty(), 0)));
        all.put(
                new Way("gives way", "pglock", false, true, (server, flyway) -> () -> true),
                List.of(figures(100, Optional.of(10_500.0), 0), figures(260, Optional.of(10_400.0), 1)));

        var page = new MigrationDayPage(all);

        assertThat(page.of(List.of()).toString())
                .contains("| no tool | Flyway | 10,000 | 20,000 | ")
                .contains("| no tool | never |  | 0 | 0 |")
                .contains("| gives way | 10.4 | 30.0 | 1 | 0 |")
                .contains("| gives way | <= 250 ms: 260.0, **missed** | <= 250 ms: 520.0, **missed** |"
                        + " <= 200 ms: 30.0, met | 1 |");
        assertThat(page.chart().toString()).contains("gives way", "100 ms");
        assertThat(page.raw().toString()).contains("migration day,gives way,24,2,\"longest stall, ms\",260.0");
    }
}
