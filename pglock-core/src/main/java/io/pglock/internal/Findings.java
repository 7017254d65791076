// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.SeenBlocker;
import io.pglock.Signalled;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Who has been in the way of a unit's sessions, what was done, and what could not be. Thread-safe. Not API. */
final class Findings {

    /** The oldest are forgotten beyond this: contention on one hot row for hours must not fill the heap. */
    private static final int REMEMBERED = 1_000;

    private final Map<BlockerKey, SeenBlocker> blockers = remembering();
    private final Set<BlockerKey> inThisAttempt = new LinkedHashSet<>();
    private final Map<Integer, Signalled> actions = remembering();
    private final Map<Integer, String> warnings = remembering();
    private int actionsSoFar;
    private int warningsSoFar;

    /** In the order of appearance. */
    private static <K, V> Map<K, V> remembering() {
        return remembering(false);
    }

    /** Whoever is still in the way is not the one to be forgotten. */
    static <K, V> Map<K, V> rememberingWhatIsUsed() {
        return remembering(true);
    }

    private static <K, V> Map<K, V> remembering(boolean whatIsUsed) {
        return new LinkedHashMap<>(16, 0.75f, whatIsUsed) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
                return size() > REMEMBERED;
            }
        };
    }

    synchronized void begin() {
        inThisAttempt.clear();
    }

    synchronized void blocker(BlockerKey key, SeenBlocker seen) {
        blockers.merge(key, seen, (before, latest) -> before.hard() && !latest.hard() ? before : latest);
        if (inThisAttempt.size() < REMEMBERED) {
            inThisAttempt.add(key);
        }
    }

    synchronized void action(Signalled action) {
        actions.put(actionsSoFar++, action);
    }

    synchronized void warning(String warning) {
        warnings.put(warningsSoFar++, warning);
    }

    synchronized List<SeenBlocker> blockers() {
        return List.copyOf(blockers.values());
    }

    /** Those of the attempt that is going on or has just failed. */
    synchronized List<SeenBlocker> latestBlockers() {
        return blockers.entrySet().stream()
                .filter(seen -> inThisAttempt.contains(seen.getKey()))
                .map(Map.Entry::getValue)
                .toList();
    }

    synchronized List<Signalled> actions() {
        return List.copyOf(actions.values());
    }

    synchronized List<String> warnings() {
        return List.copyOf(warnings.values());
    }
}
