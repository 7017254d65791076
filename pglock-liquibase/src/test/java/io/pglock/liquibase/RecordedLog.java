// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Level;
import liquibase.logging.Logger;
import liquibase.logging.core.AbstractLogService;
import liquibase.logging.core.AbstractLogger;

/** What Liquibase logs while it is the log service of the scope, from level info on. Thread-safe. */
final class RecordedLog extends AbstractLogService {

    private final List<String> lines = new CopyOnWriteArrayList<>();

    /** {@code WARNING pglock: db/changelog.xml::1::bob: blocked by ...}: what pglock wrote. */
    List<String> ofPglock() {
        return lines.stream()
                .filter(line -> line.matches("(?s)[A-Z]+ pglock: .*"))
                .toList();
    }

    List<String> all() {
        return List.copyOf(lines);
    }

    @Override
    public int getPriority() {
        return PRIORITY_NOT_APPLICABLE;
    }

    @Override
    @SuppressWarnings("rawtypes") // as Liquibase has it
    public Logger getLog(Class type) {
        return new AbstractLogger() {
            @Override
            public void log(Level level, String message, Throwable failure) {
                if (level.intValue() >= Level.INFO.intValue()) {
                    lines.add(level.getName() + " " + message);
                }
            }
        };
    }
}
