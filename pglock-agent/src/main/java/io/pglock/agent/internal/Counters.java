// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;

/** How often what has happened at one method, or at all of them. Thread-safe; counting waits for nobody. Not API. */
public final class Counters {

    /** What is counted. */
    public enum Kind {
        /** Calls that have begun under pglock. */
        BEGUN("scopes"),
        /** Calls that have ended, however. */
        ENDED("ended"),
        /** Waits for a lock of the method's own. */
        WAITED("waits"),
        /** Locks that were not acquired in time. */
        NOT_ACQUIRED("not acquired"),
        /** Calls that were skipped. */
        SKIPPED("skipped"),
        /** Calls that were ended with an exception of pglock's. */
        RAISED("raised"),
        /** Attempts after the first. */
        RETRIED("retried"),
        /** Signals that were sent to whoever was in the way: a session that is cancelled and then terminated has got two. */
        SIGNALLED("signals"),
        /** Failures of pglock itself. */
        FAILED("failures");

        private final String text;

        Kind(String text) {
            this.text = text;
        }

        /** As the status calls it. */
        String text() {
            return text;
        }
    }

    private final Optional<Counters> all;
    private final LongAdder[] counts = new LongAdder[Kind.values().length];
    private final LongAdder waitedNanos = new LongAdder();
    private volatile String lastFailure = "";

    private Counters(Optional<Counters> all) {
        this.all = all;
        for (int i = 0; i < counts.length; i++) {
            counts[i] = new LongAdder();
        }
    }

    /** Those of all methods together. */
    static Counters ofAll() {
        return new Counters(Optional.empty());
    }

    /** Those of one method; all that is counted here counts there too. */
    Counters ofOne() {
        return new Counters(Optional.of(this));
    }

    /** It has happened once more. */
    public void add(Kind kind) {
        add(kind, 1);
    }

    /** It has happened so many times more. */
    public void add(Kind kind, long times) {
        counts[kind.ordinal()].add(times);
        if (all.isPresent()) {
            all.get().add(kind, times);
        }
    }

    /** A wait for a lock of the method's own has ended, whether it was acquired or not. */
    public void waited(Duration time) {
        waitedNanos.add(time.toNanos());
        counts[Kind.WAITED.ordinal()].increment();
        all.ifPresent(counters -> counters.waited(time));
    }

    /** Something of pglock's own has failed, and the application has gone on without it, or has not. */
    public void failed(Throwable failure) {
        lastFailure = String.valueOf(failure);
        counts[Kind.FAILED.ordinal()].increment();
        all.ifPresent(counters -> counters.failed(failure));
    }

    /** How often so far. */
    public long count(Kind kind) {
        return counts[kind.ordinal()].sum();
    }

    /** Calls that are going on. */
    public long open() {
        // In this order: a call that ends in between counts as ended, and not as less than none.
        long ended = count(Kind.ENDED);
        return Math.max(0, count(Kind.BEGUN) - ended);
    }

    /** All waits together. */
    public Duration waited() {
        return Duration.ofNanos(waitedNanos.sum());
    }

    /** The last failure of pglock's own; empty where there was none. */
    public String lastFailure() {
        return lastFailure;
    }

    /** What is not nothing. */
    String described() {
        StringBuilder text = new StringBuilder();
        text.append(count(Kind.BEGUN)).append(" scopes");
        if (open() > 0) {
            text.append(" (").append(open()).append(" open)");
        }
        for (Kind kind : Kind.values()) {
            if (kind != Kind.BEGUN && kind != Kind.ENDED && count(kind) > 0) {
                text.append(", ").append(count(kind)).append(' ').append(kind.text());
                if (kind == Kind.WAITED) {
                    text.append(" (").append(waited().toMillis()).append("ms in all)");
                }
            }
        }
        if (!lastFailure().isEmpty()) {
            text.append(" (last: ").append(lastFailure()).append(')');
        }
        return text.toString();
    }
}
