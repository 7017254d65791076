// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.lang.System.Logger.Level;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import org.postgresql.core.BaseConnection;

/** What is told about a unit's sessions, to the scope's listener or to the log. Under the lock of {@link Acting}. Not API. */
final class Notices {

    private static final Map<BaseConnection, Set<String>> TOLD = Collections.synchronizedMap(new WeakHashMap<>());

    private final Optional<BiConsumer<Level, String>> listener;
    private final Findings findings;
    private final Set<String> warned = Collections.newSetFromMap(Findings.rememberingWhatIsUsed());

    Notices(Optional<BiConsumer<Level, String>> listener, Findings findings) {
        this.listener = listener;
        this.findings = findings;
    }

    /** A warning that stays with the scope; once for each {@code occasion}. */
    void warn(String occasion, String message) {
        warn(occasion, message, true);
    }

    /** As {@link #warn(String, String)}, but nobody is told what was told of an earlier scope on the same session. */
    void warnOnce(BaseConnection session, String occasion, String message) {
        warn(
                occasion,
                message,
                TOLD.computeIfAbsent(session, one -> ConcurrentHashMap.newKeySet())
                        .add(message.replaceAll("\\d+", "#"))); // it may say how long something took
    }

    /** It is not so any more: the next time it is news. */
    static void forget(BaseConnection session) {
        TOLD.remove(session);
    }

    private void warn(String occasion, String message, boolean news) {
        if (warned.add(occasion)) {
            findings.warning(message);
            if (news) {
                tell(Level.WARNING, message);
            }
        }
    }

    void tell(Level level, String message) {
        try {
            listener.ifPresentOrElse(told -> told.accept(level, message), () -> Log.log(level, message));
        } catch (RuntimeException | Error e) {
            Log.log(Level.WARNING, "The listener given to prioritize() failed", e);
        }
    }
}
