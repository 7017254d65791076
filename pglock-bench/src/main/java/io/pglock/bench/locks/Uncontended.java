// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import io.pglock.bench.Numbers;
import io.pglock.bench.RawResults;
import io.pglock.bench.Rounds;
import io.pglock.bench.Samples;
import io.pglock.bench.Server;
import io.pglock.bench.Settings;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;

/**
 * Threads that each take and release a key of their own, as fast as they can: pairs a second, and how long one takes. All
 * contenders take turns in each round, back and forth.
 */
final class Uncontended {

    static final List<Integer> THREADS = List.of(1, 16, 64);

    private final String name;
    private final Settings settings;
    private final DataSource dataSource;
    private final Connection observer;

    private final Map<Case, Figures> figures = new LinkedHashMap<>();

    /** A contender with so many threads. */
    record Case(Contenders contender, int threads) {}

    /**
     * @param pairs a second
     * @param median of one pair, in microseconds
     * @param backends that it took
     */
    record Figures(Rounds pairs, Rounds median, Rounds backends) {

        Figures() {
            this(new Rounds(), new Rounds(), new Rounds());
        }
    }

    /**
     * @param name in the raw results
     * @param observer another connection to the same database
     */
    Uncontended(String name, Settings settings, DataSource dataSource, Connection observer) {
        this.name = name;
        this.settings = settings;
        this.dataSource = dataSource;
        this.observer = observer;
    }

    /** Once for each JVM: whoever comes first must not be the one whose code is not compiled yet. */
    void warmUp() throws Exception {
        for (Contenders contender : Contenders.values()) {
            warmUp(contender);
        }
    }

    Map<Case, Figures> measure(RawResults raw) throws Exception {
        for (int round = 1; round <= settings.rounds(); round++) {
            for (int threads : THREADS) {
                List<Contenders> order = new ArrayList<>(contenders(threads));
                if (round % 2 == 0) {
                    Collections.reverse(order);
                }
                for (Contenders contender : order) {
                    measure(new Case(contender, threads), round, raw);
                }
            }
        }
        return figures;
    }

    private void warmUp(Contenders one) throws Exception {
        int threads = THREADS.get(1);
        try (Contender contender = one.open(dataSource, threads)) {
            long from = System.nanoTime();
            long to = from + 2 * settings.duration().toNanos();
            Workers.run(threads, worker -> () -> pairs(contender, worker, from, to));
        }
    }

    /** The floor is for one connection: beyond that it says more about the machine. */
    private static List<Contenders> contenders(int threads) {
        return Contenders.which(contender -> contender != Contenders.FLOOR || threads == 1);
    }

    private void measure(Case one, int round, RawResults raw) throws Exception {
        try (Contender contender = one.contender().open(dataSource, one.threads())) {
            long from = System.nanoTime() + settings.warmUp().toNanos();
            long to = from + settings.duration().toNanos();
            Samples samples =
                    Samples.of(Workers.run(one.threads(), worker -> () -> pairs(contender, worker, from, to)));
            double pairs = samples.size() / (settings.duration().toNanos() / 1e9);
            double median = samples.percentile(0.5) / 1e3;
            int backends = Server.backends(observer).size();
            Figures all = figures.computeIfAbsent(one, first -> new Figures());
            all.pairs().add(pairs);
            all.median().add(median);
            all.backends().add(backends);
            String label = one.contender().label();
            raw.add(name, label, one.threads(), round, "pairs/s", pairs);
            raw.add(name, label, one.threads(), round, "p50 us", median);
            raw.add(name, label, one.threads(), round, "p99 us", samples.percentile(0.99) / 1e3);
            raw.add(name, label, one.threads(), round, "backends", backends);
            Settings.progress("%s, round %d, %d threads, %s: %s pairs/s, p50 %s us"
                    .formatted(name, round, one.threads(), label, Numbers.text(pairs), Numbers.text(median)));
        }
    }

    /** How long each pair took that ended between the two points in time, in nanoseconds. */
    private static Samples pairs(Contender contender, int worker, long from, long to) throws Exception {
        var samples = new Samples();
        long begin = System.nanoTime();
        while (begin - to < 0) {
            contender.acquire(worker, worker).release();
            long end = System.nanoTime();
            if (end - from >= 0 && end - to <= 0) {
                samples.add(end - begin);
            }
            begin = end;
        }
        return samples;
    }
}
