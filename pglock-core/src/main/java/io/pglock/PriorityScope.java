// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.Guarded;
import io.pglock.internal.PgSession;
import io.pglock.internal.Watches;
import java.util.List;

/**
 * Guards a session until it is closed, see {@link Prioritize}; what was seen and done can be read at any time, also
 * afterwards. Thread-safe.
 *
 * {@snippet :
 * try (PriorityScope scope = PgLock.on(connection).prioritize(dataSource).terminate().start()) {
 *     statement.execute("alter table orders add column note text");
 *     scope.actions().forEach(done -> log.info(done.detail()));
 * }
 * }
 *
 * <p>When the guarded connection is closed, the scope ends by itself.
 *
 * @see <a href="https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL">Server Signaling
 *     Functions</a>
 */
public final class PriorityScope implements AutoCloseable {

    /** The watch must not keep an abandoned connection alive; whoever has the scope does. */
    private final PgSession session;

    private final Guarded guarded;
    private final Watches.Guarding guarding;

    PriorityScope(PgSession session, Guarded guarded, Watches.Guarding guarding) {
        this.session = session;
        this.guarded = guarded;
        this.guarding = guarding;
    }

    /**
     * Who has been in the way, each session once for each of its transactions, in the order of appearance and as it was seen
     * last; the latest 1,000 of them.
     */
    public List<SeenBlocker> blockers() {
        return guarded.blockers();
    }

    /**
     * What was done, or could not be done, and to whom, in order; the latest 1,000. Empty for {@link Prioritize#report}. A
     * signal that is being sent at this moment is waited for, so that what helped a statement through is there right after it.
     */
    public List<Signalled> actions() {
        return guarded.actions();
    }

    /** Why nobody was seen or signalled for a while, or at all: no side connection, another server. */
    public List<String> warnings() {
        return guarded.warnings();
    }

    Guarded guarded() {
        return guarded;
    }

    /** Ends the guarding. When it returns, nothing is signalled any more. Never throws; again, it does nothing. */
    @Override
    public void close() {
        guarding.close();
    }

    /** {@code pid 4711: 2 blockers, 1 action}. */
    @Override
    public String toString() {
        return "pid " + session.physical().getBackendPID() + ": " + blockers().size() + " blockers, "
                + actions().size() + " actions";
    }
}
