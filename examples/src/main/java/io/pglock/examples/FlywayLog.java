// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import org.flywaydb.core.api.logging.Log;
import org.flywaydb.core.api.logging.LogCreator;
import org.jspecify.annotations.Nullable;

/** Flyway's log, of which the demo shows what pglock writes into it. Public, because Flyway makes it from its name. */
public final class FlywayLog implements LogCreator {

    private static volatile Screen screen = Screen.onStandardOutput();

    /** Where to show it from now on. */
    static void showOn(Screen screen) {
        FlywayLog.screen = screen;
    }

    @Override
    public Log createLogger(Class<?> type) {
        return new OfPgLock();
    }

    private static final class OfPgLock implements Log {

        private static void show(String message) {
            if (message.startsWith("pglock: ")) {
                screen.log(message);
            }
        }

        @Override
        @SuppressWarnings("deprecation")
        public boolean isDebugEnabled() {
            return false;
        }

        @Override
        public void debug(String message) {
            // not in a demo
        }

        @Override
        public void info(String message) {
            show(message);
        }

        @Override
        public void warn(String message) {
            show(message);
        }

        @Override
        public void error(String message) {
            show(message);
        }

        @Override
        public void error(String message, @Nullable Exception e) {
            show(message);
        }

        @Override
        public void notice(String message) {
            show(message);
        }
    }
}
