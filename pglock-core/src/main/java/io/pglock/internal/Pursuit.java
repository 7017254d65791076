// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.Backend;
import io.pglock.SeenBlocker;
import io.pglock.Signal;
import io.pglock.Signalled;
import io.pglock.Signalled.Outcome;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * What has been tried against one blocker, and what is to be tried next: a pure function of that and of what is seen. A
 * blocker that begins another transaction is another one. Immutable. Not API.
 *
 * @param tried the last signal that went out (or, in a dry run, would have)
 * @param pausedAt when that was, when a custom action was asked last, or when a cancel first met no statement that it could have
 *     ended, by {@link System#nanoTime()}
 * @param told outcomes that are on record already: each is told once, except a signal that was sent
 */
record Pursuit(Optional<Signal> tried, Optional<Long> pausedAt, Set<Outcome> told) {

    static final Pursuit NEW = new Pursuit(Optional.empty(), Optional.empty(), Set.of());

    /**
     * What to send now, if anything, and what is known from here on.
     *
     * @param idleSince to send it only to a session that has done nothing since then; empty if whatever it does
     */
    record Step(Optional<Signal> signal, Optional<Instant> idleSince, Pursuit pursuit) {

        Step(Optional<Signal> signal, Pursuit pursuit) {
            this(signal, Optional.empty(), pursuit);
        }

        private Step onlyIfIdleSince(Optional<Instant> since) {
            return new Step(signal, since, pursuit);
        }
    }

    Step next(PriorityPlan plan, SeenBlocker seen, long now) {
        if (!isTarget(plan, seen)
                || told.contains(Outcome.NOT_PERMITTED)
                || told.contains(Outcome.SPARED)
                || isPaused(plan, now)) {
            return new Step(Optional.empty(), this);
        }
        return switch (plan.aim().mode()) {
            case REPORT -> new Step(Optional.empty(), this);
            case CANCEL -> step(plan, seen, Signal.CANCEL);
            case TERMINATE -> {
                if (hasIdled(plan, seen) && tried.isEmpty()) {
                    yield step(plan, seen, Signal.TERMINATE)
                            .onlyIfIdleSince(seen.backend().stateChange());
                }
                boolean hadItsGrace =
                        tried.isPresent() || isIdle(seen) && pausedAt.isPresent() && !isInGrace(plan, now);
                yield step(plan, seen, hadItsGrace ? Signal.TERMINATE : Signal.CANCEL);
            }
            case ACTION -> {
                Pursuit asked = new Pursuit(tried, Optional.of(now), told); // asked again after the grace
                yield plan.aim()
                        .action()
                        .apply(seen)
                        .map(signal -> asked.step(plan, seen, signal))
                        .orElse(new Step(Optional.empty(), asked));
            }
        };
    }

    /**
     * Whether a first signal may come to it, which takes a waiter in the queue: also where the last one had just left that when the
     * signal was sent, and where a terminate is to follow a cancel that met no statement.
     */
    boolean mayBegin(PriorityPlan plan) {
        PriorityPlan.Mode mode = plan.aim().mode();
        return mode != PriorityPlan.Mode.REPORT
                && tried.isEmpty()
                && told.stream()
                        .allMatch(outcome -> outcome == Outcome.GONE
                                || outcome == Outcome.NO_EFFECT && mode == PriorityPlan.Mode.TERMINATE);
    }

    /** Whether a terminate may follow the cancel that was tried. */
    boolean mayFinish(PriorityPlan plan) {
        return plan.aim().mode() == PriorityPlan.Mode.TERMINATE && tried.isPresent();
    }

    private static boolean isTarget(PriorityPlan plan, SeenBlocker seen) {
        PriorityPlan.Timing timing = plan.timing();
        return seen.hard()
                && seen.spared().isEmpty()
                && !seen.backend().isPreparedTransaction()
                && seen.waited().compareTo(timing.after()) >= 0
                && (timing.minAge().isZero() || age(seen.backend()).compareTo(timing.minAge()) >= 0);
    }

    /** How long it is until a first signal is due, as far as that is a matter of time. */
    Duration untilBegin(PriorityPlan plan, SeenBlocker seen, long now) {
        PriorityPlan.Timing timing = plan.timing();
        Duration untilTarget = Durations.longer(
                timing.after().minus(seen.waited()), timing.minAge().minus(age(seen.backend())));
        return pausedAt.map(at -> Durations.longer(untilTarget, timing.grace().minusNanos(now - at)))
                .orElse(untilTarget);
    }

    /** Where a cancel met no statement, the next one may meet one. */
    private boolean isPaused(PriorityPlan plan, long now) {
        return isInGrace(plan, now) && (tried.isPresent() || plan.aim().mode() == PriorityPlan.Mode.ACTION);
    }

    private boolean isInGrace(PriorityPlan plan, long now) {
        return pausedAt.filter(at -> now - at < plan.timing().grace().toNanos()).isPresent();
    }

    /** For long enough to have been forgotten: a batch idles too, for a moment between two of its statements. */
    private static boolean hasIdled(PriorityPlan plan, SeenBlocker seen) {
        return isIdle(seen)
                && seen.backend()
                        .stateAge()
                        .filter(age -> age.compareTo(plan.timing().after()) >= 0)
                        .isPresent();
    }

    /**
     * A dry run "sends" each signal once; a cancel, which does nothing to an idle session, is tried there once, unless that may be a
     * batch which is about to be terminated: then until it meets a statement.
     */
    private Step step(PriorityPlan plan, SeenBlocker seen, Signal signal) {
        boolean pointless = plan.aim().dryRun()
                ? tried.filter(before -> before == signal || before == Signal.TERMINATE)
                        .isPresent()
                : signal == Signal.CANCEL
                        && isIdle(seen)
                        && told.contains(Outcome.NO_EFFECT)
                        && plan.aim().mode() != PriorityPlan.Mode.TERMINATE;
        return new Step(pointless ? Optional.empty() : Optional.of(signal), this);
    }

    /** What is known after this came of it. */
    Pursuit after(Signalled result, long now) {
        Set<Outcome> outcomes = EnumSet.of(result.outcome());
        outcomes.addAll(told);
        boolean beginsGrace = wentOut(result) || result.outcome() == Outcome.NO_EFFECT && pausedAt.isEmpty();
        return new Pursuit(
                wentOut(result) ? Optional.of(result.signal()) : tried,
                beginsGrace ? Optional.of(now) : pausedAt,
                Set.copyOf(outcomes));
    }

    /** Whether this is to be put on record, or is there already. */
    boolean isNews(Signalled result) {
        return wentOut(result) || !told.contains(result.outcome());
    }

    private static boolean wentOut(Signalled result) {
        return result.sent() || result.outcome() == Outcome.DRY_RUN;
    }

    /** For how long it may have held the lock: since its transaction began or, with a session lock, since it idles. */
    private static Duration age(Backend backend) {
        return backend.xactAge().or(backend::stateAge).orElse(Duration.ZERO);
    }

    private static boolean isIdle(SeenBlocker seen) {
        return seen.backend().state().filter(state -> state.startsWith("idle")).isPresent();
    }
}
