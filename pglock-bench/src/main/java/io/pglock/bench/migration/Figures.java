// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.migration;

import io.pglock.bench.Samples;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What one way of migrating cost in one round: milliseconds, and sessions.
 *
 * @param longestStall of one statement of a reader or writer
 * @param longestInAll what one of them lost to statements that stalled
 * @param blocked what all of them lost
 * @param through from its beginning until the table was migrated; empty if it never was
 * @param afterBlockers from the end of the last transaction that was in its way until then; of a migration that ended a
 *     transaction itself there is none
 * @param signalled readers, writers and those in the way whose statement or session was ended
 * @param innocents those of them that held nothing that was in the way
 */
record Figures(
        Latencies readers,
        Latencies writers,
        double longestStall,
        double longestInAll,
        double blocked,
        Optional<Double> through,
        Optional<Double> afterBlockers,
        int signalled,
        int innocents) {

    /** A statement that takes longer has been in somebody's way: on an idle machine one takes less than a millisecond. */
    static final Duration STALLED = Duration.ofMillis(50);

    private static final Set<String> ENDED = Set.of("57014", "57P01", "08006", "08003");

    /** Of the statements that fell due, milliseconds. */
    record Latencies(double median, double p99, double longest) {

        /** A statement that fell due while its client still waited for the one before has waited since it was due. */
        static Latencies of(Collection<Client.Ran> ran) {
            var samples = new Samples();
            for (Client.Ran each : ran) {
                for (long late = each.nanos(); late > 0; late -= Client.PERIOD.toNanos()) {
                    samples.add(late);
                }
            }
            return new Latencies(
                    millis(samples.percentile(0.5)), millis(samples.percentile(0.99)), millis(samples.percentile(1)));
        }
    }

    /** What happened from then on, and when it was over. */
    static Figures of(
            Collection<Client> clients, Collection<Blocker> blockers, long begin, Optional<Long> end, long until) {
        List<Client.Ran> readers = new ArrayList<>();
        List<Client.Ran> writers = new ArrayList<>();
        double longestStall = 0;
        double longestInAll = 0;
        double blocked = 0;
        int innocents = 0;
        for (Client client : clients) {
            List<Client.Ran> ran = client.ran().stream()
                    .filter(each -> each.end() > begin && each.begin() < until)
                    .toList();
            (client.kind() == Client.Kind.READER ? readers : writers).addAll(ran);
            double stalled = millis(ran.stream()
                    .mapToLong(Client.Ran::nanos)
                    .filter(nanos -> nanos >= STALLED.toNanos())
                    .sum());
            longestStall = Math.max(
                    longestStall,
                    millis(ran.stream().mapToLong(Client.Ran::nanos).max().orElse(0)));
            longestInAll = Math.max(longestInAll, stalled);
            blocked += stalled;
            if (ran.stream().anyMatch(each -> ENDED.contains(each.failure()))) {
                innocents++; // it holds the table for as long as its statement takes, which is no time at all
            }
        }
        List<Blocker.Held> held =
                blockers.stream().flatMap(blocker -> blocker.held().stream()).toList();
        int ended = (int)
                held.stream().filter(each -> ENDED.contains(each.failure())).count();
        Optional<Long> lastBlocker = end.flatMap(through -> held.stream()
                .filter(each -> each.begin() < through && each.end() > begin)
                .map(Blocker.Held::end)
                .filter(each -> each <= through)
                .max(Long::compareTo));
        return new Figures(
                Latencies.of(readers),
                Latencies.of(writers),
                longestStall,
                longestInAll,
                blocked,
                end.map(through -> millis(through - begin)),
                lastBlocker.map(last -> millis(end.orElseThrow() - last)),
                ended + innocents,
                innocents);
    }

    private static double millis(long nanos) {
        return nanos / 1e6;
    }
}
