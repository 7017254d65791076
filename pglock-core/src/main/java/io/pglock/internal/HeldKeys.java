// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockKey;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.WeakHashMap;
import org.postgresql.core.BaseConnection;

/**
 * How often each key is held on a session by pglock. PostgreSQL counts too, but does not tell; the count is needed where it
 * is unclear whether a statement that failed did its work: the unlock that makes up for it must not take away what was held
 * before. Thread-safe. Not API.
 */
final class HeldKeys {

    private static final Map<BaseConnection, HeldKeys> OF_SESSIONS = Collections.synchronizedMap(new WeakHashMap<>());

    private record Held(LockKey key, boolean shared) {}

    private record Holds(int count, boolean owesUnlock) {}

    private static final Holds NONE = new Holds(0, false);

    private final Map<Held, Holds> held = new HashMap<>();

    private HeldKeys() {}

    static HeldKeys of(PgSession session) {
        return OF_SESSIONS.computeIfAbsent(session.physical(), connection -> new HeldKeys());
    }

    synchronized int count(LockKey key, boolean shared) {
        return held.getOrDefault(new Held(key, shared), NONE).count();
    }

    synchronized void taken(LockKey key, boolean shared) {
        held.merge(
                new Held(key, shared), new Holds(1, false), (old, one) -> new Holds(old.count() + 1, old.owesUnlock()));
    }

    /** One more hold may be there than was counted: to be looked for when the last counted one is released. */
    synchronized void oweUnlock(LockKey key, boolean shared) {
        held.computeIfPresent(new Held(key, shared), (same, old) -> new Holds(old.count(), true));
    }

    /** @return whether none is left by the count, but an unlock is owed */
    synchronized boolean released(LockKey key, boolean shared) {
        Held one = new Held(key, shared);
        Holds old = held.getOrDefault(one, NONE);
        if (old.count() > 1) {
            held.put(one, new Holds(old.count() - 1, old.owesUnlock()));
            return false;
        }
        held.remove(one);
        return old.owesUnlock();
    }
}
