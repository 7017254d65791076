// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.SeenBlocker;
import io.pglock.Signal;
import io.pglock.Signalled;
import io.pglock.Signalled.Outcome;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What is done about those who are in the way of one unit's sessions, by the scope's plan, and put on record. Under the lock of
 * {@link Acting}. Not API.
 */
final class Pursuits {

    private final PriorityPlan plan;
    private final Findings findings;
    private final Notices notices;

    private final Map<BlockerKey, Pursuit> pursuits = Findings.rememberingWhatIsUsed();
    /** When a session was last sent a signal, in whatever transaction it was. */
    private final Map<BlockerKey, Long> signalledAt = Findings.rememberingWhatIsUsed();

    private final Set<BlockerKey> announced = Collections.newSetFromMap(Findings.rememberingWhatIsUsed());

    /** Since when they are in the way, over all attempts and the pauses between them. */
    private final Map<BlockerKey, Long> inTheWaySince = Findings.rememberingWhatIsUsed();

    Pursuits(PriorityPlan plan, Findings findings, Notices notices) {
        this.plan = plan;
        this.findings = findings;
        this.notices = notices;
    }

    /**
     * Takes note of one who is in the way now, and does what was asked for.
     *
     * @param waited in the lock queue
     * @param heldUp for how much of that it has been the holder
     * @return whether a signal was sent
     */
    boolean pursue(Sighting sighting, Duration waited, Duration heldUp, SideConnection side, long now)
            throws SQLException {
        BlockerKey key = BlockerKey.of(sighting.backend());
        Duration before = Optional.ofNullable(inTheWaySince.get(key))
                .map(since -> Duration.ofNanos(now - since))
                .orElse(Duration.ZERO);
        Duration inTheWayFor = Durations.longer(before, waited);
        SeenBlocker plain = new SeenBlocker(
                sighting.backend(), sighting.hard(), sighting.waitsFor(), inTheWayFor, sighting.spared());
        SeenBlocker seen = plain.spared().isPresent()
                ? plain
                : spared(plain).map(why -> with(plain, why)).orElse(plain);
        BlockerKey session = BlockerKey.ofSession(sighting.backend());
        BlockerKey who = isOfTheSession(sighting) ? session : key;
        findings.blocker(who, seen);
        boolean worthTelling = inTheWayFor.compareTo(plan.timing().after()) >= 0 || sighting.isSelfBlock();
        if (worthTelling && announced.add(who)) {
            notices.tell(
                    seen.hard() ? Level.WARNING : Level.INFO, "pid " + sighting.waiter() + " " + seen.describe() + ".");
        }
        if (Durations.longer(before, heldUp).compareTo(plan.timing().after()) < 0
                || who.equals(session) && isInGraceOfAnEarlierTransaction(key, session, now)) {
            return false;
        }
        Pursuit.Step step = nextStep(key, seen, now);
        pursuits.put(key, step.pursuit());
        if (step.signal().isEmpty()) {
            return false;
        }
        Signalled result = signal(
                step.signal().get(),
                seen,
                how -> side.signal(how, seen, step.idleSince(), sighting.waiter(), plan.protect()));
        record(key, result, now);
        return result.sent();
    }

    /** A lock that outlasts the transactions of its session may be held in many, one after the other. */
    private static boolean isOfTheSession(Sighting sighting) {
        return !sighting.backend().isPreparedTransaction()
                && sighting.held().filter(held -> held.within().isEmpty()).isPresent();
    }

    /** What was sent to it in one of them is for the session to heed: it has its grace for that, not a signal in each. */
    private boolean isInGraceOfAnEarlierTransaction(BlockerKey key, BlockerKey session, long now) {
        boolean isNew = pursuits.getOrDefault(key, Pursuit.NEW).tried().isEmpty();
        return isNew
                && Optional.ofNullable(signalledAt.get(session))
                        .filter(at -> now - at < plan.timing().grace().toNanos())
                        .isPresent();
    }

    /**
     * The guarded session steps aside; this one was in its way.
     *
     * @param heldUp how long it has waited in the lock queue for this holder
     * @return how long it is until a signal would be due to it, which takes a waiter in the queue; empty if none will be
     */
    Optional<Duration> untilSignal(Sighting sighting, Duration heldUp, long now) {
        BlockerKey key = BlockerKey.of(sighting.backend());
        long since = inTheWaySince.computeIfAbsent(key, blocker -> now - heldUp.toNanos());
        SeenBlocker seen = inTheWay(sighting, since, now);
        Pursuit pursuit = pursuits.getOrDefault(key, Pursuit.NEW);
        boolean mayBegin = seen.spared().isEmpty()
                && pursuit.mayBegin(plan)
                && spared(seen).isEmpty();
        return mayBegin ? Optional.of(pursuit.untilBegin(plan, seen, now)) : Optional.empty();
    }

    /** It has let go: should it come into the way once more, that is another story. */
    void gone(Sighting sighting) {
        inTheWaySince.remove(BlockerKey.of(sighting.backend()));
    }

    /** A blocker that was cancelled and holds on to its lock may be terminated although nobody waits for it in the queue. */
    void finish(Sighting sighting, SideConnection side, long now) throws SQLException {
        BlockerKey key = BlockerKey.of(sighting.backend());
        Pursuit pursuit = pursuits.getOrDefault(key, Pursuit.NEW);
        Long since = inTheWaySince.get(key);
        if (since == null || sighting.spared().isPresent() || !pursuit.mayFinish(plan)) {
            return;
        }
        SeenBlocker seen = inTheWay(sighting, since, now);
        Pursuit.Step step = nextStep(key, seen, now);
        if (spared(seen).isEmpty()
                && step.signal().filter(Signal.TERMINATE::equals).isPresent()) {
            Sighting.Held held = sighting.held().orElseThrow();
            record(key, signal(Signal.TERMINATE, seen, how -> side.signalHolder(how, seen, held, plan.protect())), now);
        }
    }

    private static SeenBlocker inTheWay(Sighting sighting, long since, long now) {
        return new SeenBlocker(
                sighting.backend(),
                sighting.hard(),
                sighting.waitsFor(),
                Duration.ofNanos(now - since),
                sighting.spared());
    }

    private static SeenBlocker with(SeenBlocker seen, String spared) {
        return new SeenBlocker(seen.backend(), seen.hard(), seen.waitsFor(), seen.waited(), Optional.of(spared));
    }

    private Optional<String> spared(SeenBlocker seen) {
        if (seen.backend().application().filter(plan.protect()::contains).isPresent()
                || seen.backend().user().filter(plan.protect()::contains).isPresent()) {
            return Optional.of("it is protected");
        }
        try {
            return plan.spare().test(seen) ? Optional.of("a filter spares it") : Optional.empty();
        } catch (RuntimeException | Error e) {
            failed("The filter", e);
            return Optional.of("the filter failed");
        }
    }

    private Pursuit.Step nextStep(BlockerKey key, SeenBlocker seen, long now) {
        Pursuit pursuit = pursuits.getOrDefault(key, Pursuit.NEW);
        try {
            return pursuit.next(plan, seen, now);
        } catch (RuntimeException | Error e) {
            failed("The action", e);
            return new Pursuit.Step(Optional.empty(), pursuit);
        }
    }

    private void failed(String what, Throwable failure) {
        notices.warn(what, what + " given to prioritize() failed, so nobody is signalled on its account: " + failure);
    }

    @FunctionalInterface
    private interface Sending {
        Signalled send(Signal how) throws SQLException;
    }

    private Signalled signal(Signal how, SeenBlocker seen, Sending sending) throws SQLException {
        return plan.aim().dryRun()
                ? Signals.unsent(seen.backend(), how, Outcome.DRY_RUN, "a dry run")
                : sending.send(how);
    }

    private void record(BlockerKey key, Signalled result, long now) {
        Pursuit pursuit = pursuits.getOrDefault(key, Pursuit.NEW);
        pursuits.put(key, pursuit.after(result, now));
        if (result.sent()) {
            signalledAt.put(BlockerKey.ofSession(result.backend()), now);
        }
        if (pursuit.isNews(result)) {
            findings.action(result);
            notices.tell(result.outcome() == Outcome.GONE ? Level.INFO : Level.WARNING, result.detail());
        }
    }
}
