// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.lang.System.Logger.Level;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;

/** What is told about a guarded session, to the scope's listener or to the log. Under the lock of {@link Guarded}. Not API. */
final class Notices {

    private static final System.Logger LOG = System.getLogger("io.pglock");

    private final Optional<BiConsumer<Level, String>> listener;
    private final Findings findings;
    private final Set<String> warned = new HashSet<>();

    Notices(Optional<BiConsumer<Level, String>> listener, Findings findings) {
        this.listener = listener;
        this.findings = findings;
    }

    /** A warning that stays with the scope; once for each {@code occasion}. */
    void warn(String occasion, String message) {
        if (warned.add(occasion)) {
            findings.warning(message);
            tell(Level.WARNING, message);
        }
    }

    void tell(Level level, String message) {
        try {
            listener.ifPresentOrElse(told -> told.accept(level, message), () -> LOG.log(level, message));
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "The listener given to prioritize() failed", e);
        }
    }
}
