// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.agent.AgentLoader;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** The exceptions of pglock that an application gets: its own, where it has them. */
final class Refusal {

    private Refusal() {}

    /** Whether it says that a lock was not to be had in time, and nothing else. */
    static boolean isNotAcquired(Throwable thrown) {
        return isOurs(thrown) && thrown.getClass().getSimpleName().equals("LockTimeoutException");
    }

    private static boolean isOurs(Throwable thrown) {
        return thrown.getClass().getClassLoader() instanceof AgentLoader
                && thrown.getClass().getName().startsWith("io.pglock.");
    }

    /** The same, of the class of that name that this class loader sees; as it is where that sees none. */
    static Throwable asTheApplicationKnowsIt(Throwable thrown, @Nullable ClassLoader loader) {
        if (loader == null || !isOurs(thrown)) {
            return thrown;
        }
        try {
            Class<?> known = Class.forName(thrown.getClass().getName(), true, loader);
            Throwable same = (Throwable)
                    (thrown.getCause() instanceof SQLException cause
                            ? known.getConstructor(String.class, SQLException.class)
                                    .newInstance(thrown.getMessage(), cause)
                            : known.getConstructor(String.class).newInstance(thrown.getMessage()));
            same.setStackTrace(thrown.getStackTrace());
            for (Throwable suppressed : thrown.getSuppressed()) {
                same.addSuppressed(suppressed);
            }
            return same;
        } catch (ReflectiveOperationException | LinkageError | ClassCastException none) {
            return thrown;
        }
    }
}
