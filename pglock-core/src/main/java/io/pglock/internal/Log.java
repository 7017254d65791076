// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Where core says what it has no listener to tell: the {@link System.Logger} {@code io.pglock}, or what a host has given
 * instead. The system's is asked for when something is said and not before: to ask begins the logging of the whole JVM, and
 * whoever runs before the application must leave that to it. Thread-safe. Not API.
 */
public final class Log {

    private static final AtomicReference<Logger> GIVEN = new AtomicReference<>();

    private Log() {}

    /**
     * From here on everything is said to this one.
     *
     * @throws IllegalStateException when another one has been given before
     */
    public static void use(Logger logger) {
        if (!GIVEN.compareAndSet(null, logger)) {
            throw new IllegalStateException("pglock already logs to " + GIVEN.get());
        }
    }

    public static void log(Level level, String message) {
        logger().log(level, message);
    }

    public static void log(Level level, String message, Throwable thrown) {
        logger().log(level, message, thrown);
    }

    private static Logger logger() {
        Logger given = GIVEN.get();
        return given != null ? given : System.getLogger("io.pglock");
    }
}
