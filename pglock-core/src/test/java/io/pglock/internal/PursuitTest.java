// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.Backend;
import io.pglock.SeenBlocker;
import io.pglock.Signal;
import io.pglock.Signalled;
import io.pglock.Signalled.Outcome;
import io.pglock.internal.PriorityPlan.Mode;
import io.pglock.internal.PriorityPlan.Timing;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** After 1 s, with a grace of 2 s; times are in seconds. */
class PursuitTest {

    private static final Instant NOW = Instant.parse("2026-11-24T10:00:00Z");

    private static PriorityPlan plan(Mode mode) {
        return PriorityPlan.DEFAULT.aim(mode, seen -> Optional.of(Signal.TERMINATE));
    }

    private static SeenBlocker seen(String state, double waited) {
        return seen(state, waited, true, Optional.empty());
    }

    private static SeenBlocker seen(String state, double waited, boolean hard, Optional<String> spared) {
        return seen(state, 5, waited, hard, spared);
    }

    /** A blocker that has been idle for so long. */
    private static SeenBlocker idle(double idle) {
        return seen("idle in transaction", idle, 9, true, Optional.empty());
    }

    private static SeenBlocker seen(
            String state, double stateAge, double waited, boolean hard, Optional<String> spared) {
        Backend backend = new Backend(
                4711,
                Optional.empty(),
                Optional.of("shop"),
                Optional.of("web"),
                Optional.of("web"),
                Optional.empty(),
                Optional.empty(),
                Optional.of("client backend"),
                Optional.of(state),
                Optional.of(NOW.minusSeconds(3600)),
                Optional.of(NOW.minusSeconds(10)),
                Optional.of(NOW.minusSeconds(5)),
                Optional.of(NOW.minusMillis((long) (stateAge * 1000))),
                Optional.empty(),
                Optional.of("select 1"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                NOW);
        return new SeenBlocker(
                backend, hard, "AccessExclusiveLock on orders", Duration.ofMillis((long) (waited * 1000)), spared);
    }

    private static long at(double seconds) {
        return (long) (seconds * 1e9);
    }

    private static Optional<Signal> next(Mode mode, SeenBlocker seen) {
        return Pursuit.NEW.next(plan(mode), seen, 0).signal();
    }

    private static Pursuit sent(Pursuit before, Signal signal, double seconds) {
        return outcome(before, signal, Outcome.SENT, seconds);
    }

    private static Pursuit outcome(Pursuit before, Signal signal, Outcome outcome, double seconds) {
        return before.after(new Signalled(seen("active", 1).backend(), signal, outcome, NOW, ""), at(seconds));
    }

    @Test
    void whoWasNotSignalledOnlyBecauseTheWaitHadJustEndedMayStillBe() {
        PriorityPlan plan = plan(Mode.TERMINATE);
        assertThat(Pursuit.NEW.mayBegin(plan)).isTrue();
        assertThat(outcome(Pursuit.NEW, Signal.TERMINATE, Outcome.GONE, 1).mayBegin(plan))
                .isTrue();
        assertThat(outcome(Pursuit.NEW, Signal.TERMINATE, Outcome.NOT_PERMITTED, 1)
                        .mayBegin(plan))
                .isFalse();
        assertThat(sent(Pursuit.NEW, Signal.CANCEL, 1).mayBegin(plan)).isFalse();
        assertThat(Pursuit.NEW.mayBegin(plan(Mode.REPORT))).isFalse();
    }

    @Test
    void nobodyIsSignalledBeforeTheWaitIsLongEnough() {
        assertThat(next(Mode.TERMINATE, seen("idle in transaction", 0.999))).isEmpty();
        assertThat(next(Mode.TERMINATE, seen("idle in transaction", 1))).contains(Signal.TERMINATE);
    }

    @Test
    void nobodyIsSignalledWhoIsSparedOrQueuedAheadOrTooYoung() {
        assertThat(next(Mode.TERMINATE, seen("idle", 9, false, Optional.empty())))
                .isEmpty();
        assertThat(next(Mode.TERMINATE, seen("idle", 9, true, Optional.of("protected"))))
                .isEmpty();
        PriorityPlan old = plan(Mode.TERMINATE)
                .timing(new Timing(Duration.ZERO, Duration.ZERO, Duration.ofMillis(50), Duration.ofSeconds(11)));
        assertThat(Pursuit.NEW.next(old, seen("idle", 9), 0).signal()).isEmpty();
    }

    @Test
    void aReportSignalsNobody() {
        assertThat(next(Mode.REPORT, seen("active", 9))).isEmpty();
    }

    @Test
    void whoRunsAStatementIsCancelledFirst() {
        assertThat(next(Mode.TERMINATE, seen("active", 1))).contains(Signal.CANCEL);
        assertThat(next(Mode.TERMINATE, seen("disabled", 1))).contains(Signal.CANCEL);
    }

    @Test
    void whoIsIdleIsTerminatedAtOnce() {
        assertThat(next(Mode.TERMINATE, seen("idle in transaction", 1))).contains(Signal.TERMINATE);
        assertThat(next(Mode.TERMINATE, seen("idle", 1))).contains(Signal.TERMINATE);
    }

    @Test
    void whoHasNotIdledForLongIsCancelledFirst() {
        assertThat(next(Mode.TERMINATE, idle(0.999))).contains(Signal.CANCEL);
        Pursuit.Step step = Pursuit.NEW.next(plan(Mode.TERMINATE), idle(1), at(10));
        assertThat(step.signal()).contains(Signal.TERMINATE);
        assertThat(step.idleSince()).as("only if it idles on").contains(NOW.minusSeconds(1));
    }

    @Test
    void aCancelThatMeetsNoStatementBeginsTheGrace() {
        PriorityPlan plan = plan(Mode.TERMINATE);
        Pursuit inVain = outcome(Pursuit.NEW, Signal.CANCEL, Outcome.NO_EFFECT, 10);
        assertThat(inVain.next(plan, idle(0.1), at(11.9)).signal())
                .as("it may meet one yet")
                .contains(Signal.CANCEL);
        Pursuit again = outcome(inVain, Signal.CANCEL, Outcome.NO_EFFECT, 11.9);
        Pursuit.Step step = again.next(plan, idle(0.1), at(12));
        assertThat(step.signal()).contains(Signal.TERMINATE);
        assertThat(step.idleSince()).as("whatever it does").isEmpty();
        assertThat(inVain.next(plan, idle(1), at(10.05)).signal())
                .as("it has been forgotten after all")
                .contains(Signal.TERMINATE);
        assertThat(inVain.mayBegin(plan)).isTrue();
        assertThat(inVain.mayBegin(plan(Mode.CANCEL))).isFalse();
        assertThat(inVain.mayFinish(plan)).isFalse();
        assertThat(inVain.untilBegin(plan, idle(0.1), at(11.5))).isEqualTo(Duration.ofMillis(500));
    }

    @Test
    void whoRunsAStatementAgainIsCancelledBeforeItIsTerminated() {
        PriorityPlan plan = plan(Mode.TERMINATE);
        Pursuit inVain = outcome(Pursuit.NEW, Signal.CANCEL, Outcome.NO_EFFECT, 10);
        assertThat(inVain.next(plan, seen("active", 9), at(11)).signal()).contains(Signal.CANCEL);
        assertThat(inVain.next(plan, seen("active", 9), at(99)).signal()).contains(Signal.CANCEL);
        Pursuit cancelled = sent(inVain, Signal.CANCEL, 11);
        assertThat(cancelled.next(plan, seen("active", 9), at(12.9)).signal()).isEmpty();
        assertThat(cancelled.next(plan, idle(9), at(12.9)).signal()).isEmpty();
        Pursuit.Step step = cancelled.next(plan, seen("active", 9), at(13));
        assertThat(step.signal()).contains(Signal.TERMINATE);
        assertThat(step.idleSince()).as("whatever it does").isEmpty();
    }

    @Test
    void whoHasBegunToWorkBeforeItsTerminateIsCancelled() {
        Pursuit spared = outcome(Pursuit.NEW, Signal.TERMINATE, Outcome.GONE, 10);
        assertThat(spared.next(plan(Mode.TERMINATE), seen("active", 9), at(10.05))
                        .signal())
                .contains(Signal.CANCEL);
    }

    @Test
    void theTerminateFollowsTheCancelAfterTheGraceEvenIfTheSessionIdlesMeanwhile() {
        Pursuit cancelled = sent(Pursuit.NEW, Signal.CANCEL, 10);
        assertThat(cancelled
                        .next(plan(Mode.TERMINATE), seen("idle in transaction", 2), at(11.9))
                        .signal())
                .isEmpty();
        assertThat(cancelled
                        .next(plan(Mode.TERMINATE), seen("active", 3), at(12))
                        .signal())
                .contains(Signal.TERMINATE);
    }

    @Test
    void aCancelIsRepeatedAfterEachGrace() {
        Pursuit cancelled = sent(Pursuit.NEW, Signal.CANCEL, 10);
        assertThat(cancelled.next(plan(Mode.CANCEL), seen("active", 3), at(11)).signal())
                .isEmpty();
        assertThat(cancelled.next(plan(Mode.CANCEL), seen("active", 3), at(12)).signal())
                .contains(Signal.CANCEL);
    }

    @Test
    void aCancelThatDoesNothingIsTriedAgainOnlyWhenTheSessionRunsSomething() {
        Pursuit told = outcome(Pursuit.NEW, Signal.CANCEL, Outcome.NO_EFFECT, 10);
        assertThat(told.next(plan(Mode.CANCEL), seen("idle in transaction", 3), at(20))
                        .signal())
                .isEmpty();
        assertThat(told.next(plan(Mode.CANCEL), seen("active", 3), at(10.05)).signal())
                .contains(Signal.CANCEL);
    }

    @Test
    void whatIsNotPermittedIsNotTriedAgain() {
        Pursuit refused = outcome(Pursuit.NEW, Signal.CANCEL, Outcome.NOT_PERMITTED, 10);
        assertThat(refused.next(plan(Mode.TERMINATE), seen("idle", 9), at(99)).signal())
                .isEmpty();
    }

    @Test
    void aSignalThatCameTooLateCountsForNothing() {
        Pursuit gone = outcome(Pursuit.NEW, Signal.CANCEL, Outcome.GONE, 10);
        assertThat(gone.next(plan(Mode.TERMINATE), seen("active", 2), at(10.05)).signal())
                .contains(Signal.CANCEL);
        assertThat(gone.isNews(new Signalled(seen("active", 1).backend(), Signal.CANCEL, Outcome.GONE, NOW, "")))
                .isFalse();
    }

    @Test
    void aDryRunTakesEachStepOnce() {
        PriorityPlan dry = plan(Mode.TERMINATE).dryRun();
        Pursuit cancelled = outcome(Pursuit.NEW, Signal.CANCEL, Outcome.DRY_RUN, 10);
        assertThat(cancelled.next(dry, seen("active", 3), at(12)).signal()).contains(Signal.TERMINATE);
        Pursuit terminated = outcome(cancelled, Signal.TERMINATE, Outcome.DRY_RUN, 12);
        assertThat(terminated.next(dry, seen("active", 9), at(99)).signal()).isEmpty();
        assertThat(cancelled
                        .next(plan(Mode.CANCEL).dryRun(), seen("active", 9), at(99))
                        .signal())
                .isEmpty();
    }

    @Test
    void aCustomActionIsAskedOnceInEachGraceAndObeyedAsItIs() {
        Pursuit.Step first = Pursuit.NEW.next(plan(Mode.ACTION), seen("active", 1), at(10));
        assertThat(first.signal()).contains(Signal.TERMINATE);
        assertThat(first.pursuit()
                        .next(plan(Mode.ACTION), seen("active", 2), at(11))
                        .signal())
                .isEmpty();
        assertThat(first.pursuit()
                        .next(plan(Mode.ACTION), seen("active", 3), at(12))
                        .signal())
                .contains(Signal.TERMINATE);
    }

    @Test
    void anotherTransactionOfTheSameSessionIsAnotherBlocker() {
        Backend seen = seen("active", 1).backend();
        assertThat(BlockerKey.of(seen)).isEqualTo(BlockerKey.of(seen("idle", 2).backend()));
        assertThat(new BlockerKey(4711, seen.backendStart(), Optional.of(NOW), Optional.empty()))
                .isNotEqualTo(BlockerKey.of(seen));
    }
}
