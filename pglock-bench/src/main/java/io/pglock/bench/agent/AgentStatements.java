// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.agent;

import io.pglock.bench.RawResults;
import io.pglock.bench.Rounds;
import io.pglock.bench.Server;
import io.pglock.bench.Settings;
import io.pglock.bench.locks.LockNode;
import io.pglock.testkit.ForkedJvm;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the agent costs where statements are sent: JVMs with it and without it take turns, many times a second, on one server.
 * Two are without it: how much they differ is what cannot be measured here.
 */
final class AgentStatements {

    private static final String MEASUREMENT = "statements";
    private static final int CYCLES = 8;
    private static final Duration LONGEST = Duration.ofMinutes(1);

    /** What is done, again and again, by one thread. */
    enum Case {
        STATEMENT("a statement, nobody in a guarded method", false, false),
        STATEMENT_ARMED("a statement, another thread in a guarded method", true, false),
        STATEMENT_ARMED_USED("the same, on a connection that was used in one before", true, false),
        STATEMENT_TIMEOUTS("a guarded statement in autocommit: `lock_timeout`", false, false),
        TRANSACTION("a transaction of one statement, not guarded", false, true),
        TRANSACTION_TIMEOUTS("guarded: `lock_timeout`", false, true),
        TRANSACTION_DEFAULTS("guarded: `lock_timeout`, and who is in the way (`prioritize=report`)", false, true),
        TRANSACTION_ADVISORY("guarded: an advisory lock around the method", false, true);

        private final String label;
        private final boolean armed;
        private final boolean transaction;

        Case(String label, boolean armed, boolean transaction) {
            this.label = label;
            this.armed = armed;
            this.transaction = transaction;
        }

        String label() {
            return label;
        }

        boolean isArmed() {
            return armed;
        }

        /** What it is compared with: that, in a JVM without the agent. */
        Case floor() {
            return transaction ? TRANSACTION : STATEMENT;
        }
    }

    /** Which JVM. */
    enum Jvm {
        WITHOUT("without the agent"),
        WITHOUT_TOO("without the agent, another JVM"),
        WITH("with the agent");

        private final String label;

        Jvm(String label) {
            this.label = label;
        }

        String label() {
            return label;
        }
    }

    /** One row. */
    record Key(Jvm jvm, Case what) {}

    /**
     * @param micros in each cycle of each round
     * @param ratios to the same without the agent, in the same cycle
     * @param roundTrips of each
     */
    record Figures(Rounds micros, Rounds ratios, Rounds ratioOfRound, double roundTrips) {}

    private final Settings settings;
    private final Server server;
    private final Path agent;

    AgentStatements(Settings settings, Server server, Path agent) {
        this.settings = settings;
        this.server = server;
        this.agent = agent;
    }

    private static List<Key> keys() {
        List<Key> keys = new ArrayList<>();
        for (Case one : Case.values()) {
            if (one == one.floor()) {
                keys.add(new Key(Jvm.WITHOUT, one));
                keys.add(new Key(Jvm.WITHOUT_TOO, one));
            }
            keys.add(new Key(Jvm.WITH, one));
        }
        return keys;
    }

    Map<Key, Figures> measure(RawResults raw) {
        Map<Key, Figures> results = new LinkedHashMap<>();
        for (int round = 1; round <= settings.rounds(); round++) {
            Settings.progress(MEASUREMENT + ", round " + round);
            Map<Jvm, ForkedJvm> jvms = new EnumMap<>(Jvm.class);
            try {
                for (Jvm jvm : Jvm.values()) {
                    jvms.put(jvm, start(jvm));
                }
                measure(jvms, round, results, raw);
            } finally {
                jvms.values().forEach(ForkedJvm::close);
            }
        }
        return results;
    }

    private void measure(Map<Jvm, ForkedJvm> jvms, int round, Map<Key, Figures> results, RawResults raw) {
        List<Key> keys = keys();
        for (Key key : keys) {
            run(jvms, key, settings.warmUp());
        }
        Map<Key, Rounds> here = new LinkedHashMap<>();
        for (int cycle = 0; cycle < CYCLES; cycle++) {
            Map<Key, Double> sums = new LinkedHashMap<>();
            List<Key> order = new ArrayList<>(keys);
            for (int half = 0; half < 2; half++) {
                for (Key key : order) {
                    sums.merge(key, run(jvms, key, settings.duration().dividedBy(3L * CYCLES)) / 2, Double::sum);
                }
                Collections.reverse(order);
            }
            sums.forEach((key, micros) ->
                    here.computeIfAbsent(key, one -> new Rounds()).add(micros));
        }
        for (Key key : keys) {
            Rounds micros = of(here, key);
            Rounds ratios = micros.per(of(here, new Key(Jvm.WITHOUT, key.what().floor())));
            Figures figures = results.computeIfAbsent(
                    key,
                    one -> new Figures(
                            new Rounds(),
                            new Rounds(),
                            new Rounds(),
                            Double.parseDouble(ask(jvms, key.jvm(), "trips " + key.what()))));
            micros.values().forEach(figures.micros()::add);
            ratios.values().forEach(figures.ratios()::add);
            figures.ratioOfRound().add(ratios.median());
            String contender = key.jvm().label() + ": " + key.what();
            raw.add(MEASUREMENT, contender, 1, round, "us", micros.median());
            raw.add(MEASUREMENT, contender, 1, round, "ratio", ratios.median());
            raw.add(MEASUREMENT, contender, 1, round, "round trips", figures.roundTrips());
        }
    }

    private static Rounds of(Map<Key, Rounds> figures, Key key) {
        return Optional.ofNullable(figures.get(key))
                .orElseThrow(() -> new IllegalStateException(key + " was not measured"));
    }

    private ForkedJvm start(Jvm jvm) {
        ForkedJvm.Launch launch = server.running(AgentNode.class);
        ForkedJvm started =
                (jvm == Jvm.WITH ? launch.options("-javaagent:" + agent + "=" + Guarded.TARGETS) : launch).start();
        started.awaitLine(LockNode.ANSWER, LONGEST);
        return started;
    }

    /** Microseconds. */
    private static double run(Map<Jvm, ForkedJvm> jvms, Key key, Duration duration) {
        return Double.parseDouble(ask(jvms, key.jvm(), "run " + key.what() + " " + duration.toNanos())) / 1e3;
    }

    private static String ask(Map<Jvm, ForkedJvm> jvms, Jvm jvm, String command) {
        ForkedJvm asked = Optional.ofNullable(jvms.get(jvm)).orElseThrow();
        asked.send(command);
        return asked.awaitLine(LockNode.ANSWER, LONGEST).substring(LockNode.ANSWER.length());
    }
}
