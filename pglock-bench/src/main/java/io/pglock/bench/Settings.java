// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import java.nio.file.Path;
import java.time.Duration;

/**
 * How much is measured.
 *
 * @param duration of each measurement in each round
 * @param directory where the page, the chart and the raw results go
 * @param peers with their versions
 */
public record Settings(Duration duration, int rounds, Path directory, String peers) {

    /** From {@code pglock.bench.seconds} (which may be a fraction) and its likes. */
    public static Settings ofSystemProperties() {
        double seconds = Double.parseDouble(System.getProperty("pglock.bench.seconds", "2"));
        return new Settings(
                Duration.ofNanos((long) (seconds * 1e9)),
                Integer.getInteger("pglock.bench.rounds", 3),
                Path.of(System.getProperty("pglock.bench.directory", "docs/benchmarks")),
                System.getProperty("pglock.bench.peers", ""));
    }

    /** Before each measurement, on the connections that it uses: until their statements are prepared. */
    public Duration warmUp() {
        return duration.dividedBy(4);
    }

    /** Says how far it has come. */
    public static void progress(String line) {
        System.out.println(line);
    }
}
