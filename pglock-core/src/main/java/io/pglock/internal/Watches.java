// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.IdentityHashMap;
import javax.sql.DataSource;

/**
 * One watch for each DataSource on which somebody is guarded, from the first scope to the last; nothing is kept of a
 * DataSource without one. Thread-safe. Not API.
 */
public final class Watches {

    private static final IdentityHashMap<DataSource, Watch> RUNNING = new IdentityHashMap<>();

    private Watches() {}

    /** What ends the guarding; closing it again does nothing. */
    @FunctionalInterface
    public interface Guarding extends AutoCloseable {
        @Override
        void close();
    }

    /** From now on the watch on this DataSource looks after this session; starts it if need be. No SQL, no waiting. */
    public static Guarding guard(DataSource dataSource, Guarded session) {
        Watch watch;
        synchronized (RUNNING) {
            watch = RUNNING.computeIfAbsent(dataSource, Watch::new);
            watch.add(session);
        }
        return () -> leave(watch, session);
    }

    /** When it returns, nothing is done for this session any more; with the last one the watch ends too. */
    static void leave(Watch watch, Guarded session) {
        boolean last;
        synchronized (RUNNING) {
            last = watch.remove(session);
            if (last) {
                RUNNING.remove(watch.dataSource(), watch);
            }
        }
        session.end();
        if (last) {
            watch.awaitEnd();
        }
    }
}
