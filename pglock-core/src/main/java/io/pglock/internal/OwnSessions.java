// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * The sessions of this JVM that are part of the work which pglock guards: guarded ones, side connections, a host's own
 * bookkeeping connections. They are never signalled from here. A registration counts: whoever registers unregisters once.
 * Thread-safe. Not API.
 */
public final class OwnSessions {

    /** By server (its start time to the microsecond), then by pid: how many count on it. Empty when nothing is guarded. */
    private static final Map<String, Map<Integer, Integer>> REGISTERED = new HashMap<>();

    private OwnSessions() {}

    /** @param serverStart as {@link PgSession.Facts#serverStart()} has it */
    public static void register(String serverStart, int pid) {
        synchronized (REGISTERED) {
            REGISTERED.computeIfAbsent(serverStart, server -> new HashMap<>()).merge(pid, 1, Integer::sum);
        }
    }

    /** Takes back one registration; nothing happens where there is none. */
    public static void unregister(String serverStart, int pid) {
        synchronized (REGISTERED) {
            REGISTERED.computeIfPresent(serverStart, (server, pids) -> {
                pids.computeIfPresent(pid, (key, count) -> count == 1 ? null : count - 1);
                return pids.isEmpty() ? null : pids;
            });
        }
    }

    /** Registers a session until what is returned is closed. */
    public static Registration register(PgSession.Facts session) {
        register(session.serverStart(), session.pid());
        return new Registration(session);
    }

    /** The pids registered for one server. */
    public static Set<Integer> pids(String serverStart) {
        synchronized (REGISTERED) {
            return Set.copyOf(REGISTERED.getOrDefault(serverStart, Map.of()).keySet());
        }
    }

    /** One registration; closing it more than once does nothing. */
    public static final class Registration implements AutoCloseable {

        private final PgSession.Facts session;
        private boolean closed;

        private Registration(PgSession.Facts session) {
            this.session = session;
        }

        @Override
        public synchronized void close() {
            if (!closed) {
                closed = true;
                unregister(session.serverStart(), session.pid());
            }
        }
    }
}
