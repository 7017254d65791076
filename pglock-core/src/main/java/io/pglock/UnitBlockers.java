// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.LockPolicy.Priority;
import io.pglock.internal.BlockerKey;
import io.pglock.internal.Durations;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Who has been in the way of one unit, in words. Immutable, but what has been seen may become more.
 *
 * @param lockTimeout the one that has ended the latest attempt, where that can be it
 */
record UnitBlockers(LockPolicy policy, PriorityScope scope, Optional<Duration> lockTimeout) {

    private static final int NAMED = 5;

    /** How many {@link #named} is about. */
    int inTheWay() {
        return holdersFirst(latest()).size();
    }

    /** {@code blocked by pid 4711 (web, ...) and 2 more}; empty where nobody has been seen in the latest attempt. */
    Optional<String> named() {
        List<SeenBlocker> seen = latest();
        if (seen.isEmpty()) {
            return Optional.empty();
        }
        List<SeenBlocker> named = holdersFirst(seen);
        int others = Math.max(0, named.size() - NAMED);
        return Optional.of("blocked by "
                + named.stream()
                        .limit(NAMED)
                        .map(blocker -> blocker.backend().describe()
                                + blocker.spared().map(why -> " (" + why + ")").orElse(""))
                        .collect(Collectors.joining("; "))
                + (others == 0 ? "" : " and " + others + " more"));
    }

    private List<SeenBlocker> latest() {
        return scope.guarded().latestBlockers();
    }

    private static List<SeenBlocker> holdersFirst(List<SeenBlocker> seen) {
        List<SeenBlocker> holders = seen.stream().filter(SeenBlocker::hard).toList();
        return holders.isEmpty() ? seen : holders;
    }

    /**
     * {@code blocked by pid 4711 (web, idle in transaction for 42s: "SELECT ..."): terminated. What to do.} Where nobody has been seen
     * in the latest attempt, who was in the way before: whether that one still is nobody knows.
     */
    Optional<String> described() {
        List<SeenBlocker> latest = latest();
        List<Signalled> actions = scope.actions();
        if (!latest.isEmpty()) {
            return Optional.of("blocked by " + described(latest, actions) + remedy(holdersFirst(latest), actions));
        }
        List<SeenBlocker> before = scope.blockers();
        return before.isEmpty()
                ? Optional.empty()
                : Optional.of("blocked earlier by " + described(before, actions) + " Nobody was seen since.");
    }

    private static String described(List<SeenBlocker> seen, List<Signalled> actions) {
        List<SeenBlocker> named = holdersFirst(seen);
        int others = seen.size() - Math.min(named.size(), NAMED);
        return named.stream()
                        .limit(NAMED)
                        .map(blocker -> blocker.backend().describe() + done(blocker, actions))
                        .collect(Collectors.joining("; "))
                + (others == 0 ? "." : "; and " + others + " more.");
    }

    /** What was done to this one: the last thing. */
    private static String done(SeenBlocker blocker, List<Signalled> actions) {
        return actions.stream()
                .filter(action -> isSame(action.backend(), blocker.backend()))
                .reduce((earlier, latest) -> latest)
                .map(action -> ": " + (action.sent() ? sent(action.signal()) : unsent(action)))
                .or(() -> blocker.spared().map(why -> ": never signalled, " + why))
                .orElse(blocker.hard() ? "" : ": it waits ahead in the queue");
    }

    private static String sent(Signal signal) {
        return signal == Signal.CANCEL ? "its statement was cancelled" : "terminated";
    }

    /** The detail, without the blocker that has just been described, and without the full stop. */
    private static String unsent(Signalled action) {
        String about = action.backend().describe() + " ";
        String detail = action.detail();
        return (detail.startsWith(about) ? detail.substring(about.length()) : detail).replaceFirst("\\.$", "");
    }

    private static boolean isSame(Backend one, Backend other) {
        return BlockerKey.of(one).equals(BlockerKey.of(other));
    }

    private String remedy(List<SeenBlocker> named, List<Signalled> actions) {
        List<SeenBlocker> couldBe = named.stream()
                .filter(seen -> seen.hard()
                        && seen.spared().isEmpty()
                        && !seen.backend().isPreparedTransaction())
                .toList();
        if (couldBe.isEmpty()) {
            return "";
        }
        if (policy.prioritize() == Priority.REPORT) {
            return " Nothing was done to it (prioritize=report): end it, or run with prioritize=cancel or terminate.";
        }
        Optional<Duration> tooShort = lockTimeout.filter(timeout ->
                couldBe.stream().allMatch(seen -> seen.waited().compareTo(policy.prioritizeAfter()) < 0));
        return actions.isEmpty() && tooShort.isPresent()
                ? " Nothing was done to it: lockTimeout=" + Durations.text(tooShort.get())
                        + " is over before prioritizeAfter=" + Durations.text(policy.prioritizeAfter()) + "."
                : "";
    }
}
