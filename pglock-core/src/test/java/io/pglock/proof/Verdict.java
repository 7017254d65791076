// SPDX-License-Identifier: Apache-2.0
package io.pglock.proof;

import io.pglock.Signal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** What is wrong with what pglock did in a round, by the test's own rules. Stateless. */
final class Verdict {

    /** pglock's clock and the server's round in different ways. */
    private static final double ROUNDING_MILLIS = 1.5;

    /** A blocker that is seen in more than two looks and not acted on is missed. */
    private static final int LOOKS = 3;

    private Verdict() {}

    /** Each in a sentence; none in a good round. */
    static List<String> wrongs(Scene.Played round, String protectedRole) {
        List<String> wrongs = new ArrayList<>();
        for (Sent sent : round.signals()) {
            innocence(round, sent, protectedRole).stream()
                    .map(why -> "an innocent was signalled, " + why + ": " + sent)
                    .forEach(wrongs::add);
        }
        victims(round, wrongs);
        missed(round, protectedRole, wrongs);
        if (round.sentAfterTheEnd() > 0) {
            wrongs.add(round.sentAfterTheEnd() + " signals after the scope was closed");
        }
        if (round.guardedFailure().startsWith("57P") || round.guardedFailure().startsWith("08")) {
            wrongs.add("the guarded session itself has ended: " + round.guardedFailure());
        }
        if (!round.warnings().isEmpty()) {
            wrongs.add("the watch warns: " + round.warnings());
        }
        return wrongs;
    }

    private static List<String> innocence(Scene.Played round, Sent sent, String protectedRole) {
        List<String> why = new ArrayList<>();
        if (sent.overtaken()) {
            return why;
        }
        Mess.Guard guard = round.mess().guard();
        if (guard.aim() == Mess.Aim.REPORT || guard.aim() == Mess.Aim.DRY_RUN) {
            why.add("although nobody was to be");
        }
        if (guard.aim() == Mess.Aim.CANCEL && sent.signal() != Signal.CANCEL) {
            why.add("terminated, although only cancelling was asked for");
        }
        if (!sent.isBlocker()) {
            why.add("it was in nobody's way");
            return why;
        }
        if (!sent.truth().hard()) {
            why.add("it merely waited ahead");
        }
        if (isSpared(round, sent.truth(), protectedRole)) {
            why.add("it is protected");
        }
        if (sent.renewed()) {
            why.add("it was in another transaction than it was seen in");
        }
        if (sent.waitedMillis().orElse(Double.MAX_VALUE) + ROUNDING_MILLIS
                < guard.after().toMillis()) {
            why.add("too early");
        }
        if (sent.ageMillis() + ROUNDING_MILLIS < guard.minAge().toMillis()) {
            why.add("too young");
        }
        if (sent.signal() == Signal.TERMINATE
                && !sent.truth().isIdle()
                && sent.steady()
                && round.signals().stream()
                        .noneMatch(before -> before.signal() == Signal.CANCEL
                                && before.look() < sent.look()
                                && before.isTo(sent.truth()))) {
            why.add("its statement was not cancelled first");
        }
        return why;
    }

    /** What the sessions themselves say. */
    private static void victims(Scene.Played round, List<String> wrongs) {
        for (Scene.Victim victim : round.victims()) {
            List<Signal> sent = round.signals().stream()
                    .filter(signal -> !signal.overtaken() && signal.pid() == victim.pid())
                    .map(Sent::signal)
                    .toList();
            long cancels =
                    sent.stream().filter(signal -> signal == Signal.CANCEL).count();
            if (victim.cancelled() > cancels || victim.terminated() != sent.contains(Signal.TERMINATE)) {
                wrongs.add(victim + " was sent " + sent);
            }
        }
    }

    /** The last look may have been cut short by the end. */
    private static void missed(Scene.Played round, String protectedRole, List<String> wrongs) {
        List<Recorder.Look> looks = round.looks().stream()
                .filter(look -> look.at() - round.closedAt() < 0)
                .toList();
        for (int i = 0; i + LOOKS < looks.size(); i++) {
            for (Recorder.Seen blocker : looks.get(i).inTheWay()) {
                if (isInTheWayFor(blocker, looks.subList(i, i + LOOKS), Recorder.Seen::hard)
                        && round.blockers().stream()
                                .noneMatch(seen -> seen.hard() && seen.backend().pid() == blocker.pid())) {
                    wrongs.add("a blocker was not seen in " + LOOKS + " looks: " + blocker);
                }
                if (isDue(round, i, blocker, protectedRole)) {
                    wrongs.add("a blocker was missed in looks " + looks.get(i).number() + " to "
                            + looks.get(i + LOOKS - 1).number() + ": " + blocker);
                }
            }
        }
    }

    /**
     * Whether a signal to it was due in each of the looks from this one on, and none was sent. Whoever does something in between
     * is given time for the next.
     */
    private static boolean isDue(Scene.Played round, int from, Recorder.Seen blocker, String protectedRole) {
        Mess.Guard guard = round.mess().guard();
        boolean cancels = guard.aim() == Mess.Aim.CANCEL;
        if (!cancels && guard.aim() != Mess.Aim.TERMINATE
                || !guard.minAge().isZero()
                || blocker.pid() == 0
                || isSpared(round, blocker, protectedRole)) {
            return false;
        }
        List<Recorder.Look> looks = round.looks();
        int last = from + LOOKS - 1;
        Predicate<Recorder.Seen> steady =
                seen -> seen.hard() && (cancels || seen.stateChange().equals(blocker.stateChange()));
        if (!isInTheWayFor(blocker, looks.subList(from, last + 1), steady.and(seen -> !(cancels && seen.isIdle())))) {
            return false;
        }
        int first = from;
        while (first > 0 && isInTheWayFor(blocker, looks.subList(first - 1, first), steady)) {
            first--;
        }
        long at = looks.get(from).at();
        Duration waited = Duration.ofNanos(at - looks.get(first).at());
        return waited.compareTo(guard.after()) >= 0
                && round.signals().stream()
                        .noneMatch(sent -> sent.pid() == blocker.pid()
                                && sent.look() <= looks.get(last).number()
                                && (sent.look() >= looks.get(from).number()
                                        || at - endOf(round, sent.look())
                                                < guard.grace().toNanos()));
    }

    /** Signals are sent before the next look begins: the grace counts from somewhere before that. */
    private static long endOf(Scene.Played round, int look) {
        return round.looks().stream()
                .filter(each -> each.number() > look)
                .findFirst()
                .orElseThrow()
                .at();
    }

    /** In each of these looks, while the guarded session waited for the same. */
    private static boolean isInTheWayFor(
            Recorder.Seen blocker, List<Recorder.Look> looks, Predicate<Recorder.Seen> how) {
        return looks.stream()
                .allMatch(look -> look.find(blocker)
                        .filter(how)
                        .filter(seen -> seen.waitsFor().equals(blocker.waitsFor()))
                        .isPresent());
    }

    private static boolean isSpared(Scene.Played round, Recorder.Seen truth, String protectedRole) {
        return !truth.type().equals("client backend")
                || truth.marked()
                || truth.flyway()
                || round.victims().stream().anyMatch(victim -> victim.guarded() && victim.pid() == truth.pid())
                || truth.role().equals(protectedRole)
                || Set.of("pg_dump", "pg_basebackup", Mess.PROTECTED_APPLICATION, Mess.SPARED_APPLICATION, "pglock")
                        .contains(truth.application());
    }
}
