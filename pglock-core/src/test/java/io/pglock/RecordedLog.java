// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What pglock logs, until it is closed. Thread-safe. */
final class RecordedLog extends Handler {

    private final Logger logger = Logger.getLogger("io.pglock");
    private final List<LogRecord> records = new CopyOnWriteArrayList<>();

    RecordedLog() {
        logger.addHandler(this);
    }

    List<LogRecord> records() {
        return List.copyOf(records);
    }

    @Override
    public void publish(LogRecord entry) {
        records.add(entry);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        logger.removeHandler(this);
    }
}
