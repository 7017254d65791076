// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import io.pglock.bench.Numbers;
import io.pglock.bench.RawResults;
import io.pglock.bench.Rounds;
import io.pglock.bench.Samples;
import io.pglock.bench.Server;
import io.pglock.bench.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Two JVMs whose threads all want one key, and do nothing while they hold it: how often they get it, how long they wait, what each
 * JVM gets of it, and how fast it goes from one to the other.
 */
final class Contended {

    static final int THREADS = 8;

    /** The JVMs are new ones. */
    private static final long WARM_UP_MICROS = 3_000_000;

    private final Settings settings;
    private final Server server;
    private final Connection observer;
    private final Map<Contenders, Figures> figures = new EnumMap<>(Contenders.class);

    /**
     * Waits and hand-offs in milliseconds.
     *
     * @param acquisitions a second, of both JVMs
     * @param smallerShare what the JVM got that got less: 0.5 is fair
     * @param longestNothing the longest time in which one of the JVMs got nothing
     * @param overlaps how often two held it at once
     */
    record Figures(
            Rounds acquisitions,
            Rounds waitMedian,
            Rounds wait99,
            Rounds waitLongest,
            Rounds smallerShare,
            Rounds longestNothing,
            Rounds handOffMedian,
            Rounds handOff99,
            Rounds overlaps,
            Rounds backends) {

        Figures() {
            this(
                    new Rounds(),
                    new Rounds(),
                    new Rounds(),
                    new Rounds(),
                    new Rounds(),
                    new Rounds(),
                    new Rounds(),
                    new Rounds(),
                    new Rounds(),
                    new Rounds());
        }
    }

    Contended(Settings settings, Server server, Connection observer) {
        this.settings = settings;
        this.server = server;
        this.observer = observer;
    }

    Map<Contenders, Figures> measure(RawResults raw) throws Exception {
        List<Contenders> order = new ArrayList<>(Contenders.which(Contenders::waits));
        for (int round = 1; round <= settings.rounds(); round++) {
            for (Contenders contender : order) {
                measure(contender, round, raw);
            }
            Collections.reverse(order);
        }
        return figures;
    }

    private void measure(Contenders contender, int round, RawResults raw) throws Exception {
        try (Node one = Node.start(server, contender, THREADS);
                Node other = Node.start(server, contender, THREADS)) {
            long from = Holding.now() + WARM_UP_MICROS;
            long to = from + settings.duration().toNanos() / 1_000;
            List<Path> files = List.of(file(), file());
            one.tell("contend", from, to, files.get(0));
            other.tell("contend", from, to, files.get(1));
            one.answer();
            other.answer();
            var contest = new Contest(read(files.get(0)), read(files.get(1)), from, to);
            record(contender, round, contest, Server.backends(observer).size(), raw);
        }
    }

    private static Path file() throws IOException {
        return Files.createTempFile("pglock-bench", ".holdings");
    }

    private static List<Holding> read(Path file) throws IOException {
        List<Holding> holdings = Holding.read(file);
        Files.delete(file);
        return holdings;
    }

    private void record(Contenders contender, int round, Contest contest, int backends, RawResults raw) {
        Figures all = figures.computeIfAbsent(contender, first -> new Figures());
        Samples waits = contest.waits();
        Samples handOffs = contest.handOffs();
        double perSecond = contest.count() / (settings.duration().toNanos() / 1e9);
        record Named(String figure, Rounds rounds, double value) {}
        for (Named named : List.of(
                new Named("acquisitions/s", all.acquisitions(), perSecond),
                new Named("wait p50 ms", all.waitMedian(), waits.percentile(0.5) / 1e6),
                new Named("wait p99 ms", all.wait99(), waits.percentile(0.99) / 1e6),
                new Named("wait max ms", all.waitLongest(), waits.percentile(1) / 1e6),
                new Named("smaller share", all.smallerShare(), contest.smallerShare()),
                new Named("longest nothing ms", all.longestNothing(), contest.longestNothing() / 1e3),
                new Named("hand-off p50 ms", all.handOffMedian(), handOffs.percentile(0.5) / 1e3),
                new Named("hand-off p99 ms", all.handOff99(), handOffs.percentile(0.99) / 1e3),
                new Named("overlaps", all.overlaps(), contest.overlaps()),
                new Named("backends", all.backends(), backends))) {
            named.rounds().add(named.value());
            raw.add("contended", contender.label(), THREADS, round, named.figure(), named.value());
        }
        Settings.progress("contended, round %d, %s: %s acquisitions/s, wait p99 %s ms"
                .formatted(
                        round, contender.label(), Numbers.text(perSecond), Numbers.text(waits.percentile(0.99) / 1e6)));
    }
}
