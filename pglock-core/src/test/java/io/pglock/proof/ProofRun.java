// SPDX-License-Identifier: Apache-2.0
package io.pglock.proof;

import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How many rounds a proof has, and where its choices come from: {@code -Dpglock.proof.seed=} makes the same choices as another
 * time, as far as threads allow; {@code -Dpglock.proof.rounds=} makes more or fewer of them. Thread-safe.
 */
final class ProofRun {

    private final String name;
    private final int rounds;
    private final long seed = Long.getLong("pglock.proof.seed", System.nanoTime() % 1_000_000_000);
    private final long start = System.nanoTime();
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();

    /**
     * @param inABuild how many rounds are made in every build
     * @param inFull how many where this proof was asked for, by {@code -Dpglock.proof=}
     */
    ProofRun(String name, int inABuild, int inFull) {
        this.name = name;
        this.rounds = Integer.getInteger("pglock.proof.rounds", isAskedFor(name) ? inFull : inABuild);
        if (isAskedFor(name)) {
            System.out.println(name + ": " + rounds + " rounds, seed " + seed);
        }
    }

    private static boolean isAskedFor(String name) {
        return System.getProperty("pglock.proof", "").equals(name);
    }

    int rounds() {
        return rounds;
    }

    long seed() {
        return seed;
    }

    /** The number of another round, from 0 on; negative when there are enough. */
    int nextRound() {
        int round = next.getAndIncrement();
        return round < rounds ? round : -1;
    }

    /** What a round's choices come from: they do not depend on which thread makes it. */
    Random random(int round) {
        return new Random(seed * 1_000_003 + round * 7_919L);
    }

    /** Says how far it is, now and then. */
    void done(Object soFar) {
        int count = done.incrementAndGet();
        if (isAskedFor(name) && count % Math.max(1, rounds / 20) == 0) {
            System.out.println(name + ": " + count + " of " + rounds + " after " + seconds() + " s; " + soFar);
        }
    }

    /** No more rounds: one has failed. */
    void stop() {
        next.set(rounds);
    }

    /** The line in the end. */
    String summary(Object counts) {
        String line = name + ", seed " + seed + ": " + done + " rounds in " + seconds() + " s; " + counts;
        System.out.println(line);
        return line;
    }

    private long seconds() {
        return (System.nanoTime() - start) / 1_000_000_000;
    }
}
