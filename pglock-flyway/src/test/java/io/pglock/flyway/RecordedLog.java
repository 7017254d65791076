// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.flywaydb.core.api.logging.Log;
import org.flywaydb.core.api.logging.LogCreator;

/** Flyway's log, as {@code flyway.loggers} wants it: a class with a public constructor; so what it recorded is static. */
public final class RecordedLog implements LogCreator {

    private static final List<String> LINES = new CopyOnWriteArrayList<>();

    static void clear() {
        LINES.clear();
    }

    /** {@code WARN pglock: V2__x.sql: blocked by ...}: what pglock wrote. */
    static List<String> ofPglock() {
        return LINES.stream().filter(line -> line.matches("[A-Z]+ pglock: .*")).toList();
    }

    static List<String> all() {
        return List.copyOf(LINES);
    }

    @Override
    public Log createLogger(Class<?> clazz) {
        return new Log() {
            /** Without a default in Flyway 10. */
            @Override
            @SuppressWarnings("deprecation")
            public boolean isDebugEnabled() {
                return false;
            }

            @Override
            public void debug(String message) {}

            @Override
            public void info(String message) {
                LINES.add("INFO " + message);
            }

            @Override
            public void warn(String message) {
                LINES.add("WARN " + message);
            }

            @Override
            public void error(String message) {
                LINES.add("ERROR " + message);
            }

            @Override
            public void error(String message, Exception e) {
                LINES.add("ERROR " + message);
            }

            @Override
            public void notice(String message) {
                LINES.add("NOTICE " + message);
            }
        };
    }
}
