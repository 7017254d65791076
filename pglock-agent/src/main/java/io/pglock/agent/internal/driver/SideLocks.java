// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import io.pglock.LockKey;
import io.pglock.agent.internal.Place;
import io.pglock.agent.internal.Scope;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.postgresql.core.BaseConnection;

/**
 * On which database the advisory locks are that no connection of the application's holds, and in which order they are taken.
 *
 * <p>Each is on the database of the first connection that its method uses: the same one in every instance, whatever each of
 * them has opened before. Until the method uses one, that is presumed; a lock that was presumed to be elsewhere is let go there,
 * and waited for here. The locks of nested methods are always taken from the outermost to the innermost, also when they move:
 * of two instances that took them in different orders each would wait for the other, and no server could see it. One whose settings
 * say where is never let go again, which would be worse: its method may have begun to work that is on no database. Stateless.
 */
final class SideLocks {

    private final DriverRealm realm;

    SideLocks(DriverRealm realm) {
        this.realm = realm;
    }

    /** A method begins: where its settings say, or on the only database so far. */
    void begin(Scope scope) {
        Optional<Place> monitor = realm.monitor(scope);
        if (monitor.isPresent()) {
            lock(scope, monitor.get(), false);
        } else {
            realm.onlyPlace().ifPresent(only -> lock(scope, only, true));
        }
    }

    /**
     * A connection was opened, which is a sign for whoever has none; it may not be the first that is used. Nobody waits here: a pool
     * that is opening it may let no other thread have one before it is done.
     */
    void opened(Scope innermost, BaseConnection connection) throws Throwable {
        take(innermost, connection, false);
    }

    /** A connection is about to be used: where it leads, there the locks belong that had to wait for it, or for somebody else. */
    void used(Scope innermost, BaseConnection connection) throws Throwable {
        take(innermost, connection, true);
    }

    private void take(Scope innermost, BaseConnection connection, boolean settles) throws Throwable {
        if (areSettled(innermost)) {
            return; // as for nearly every statement
        }
        realm.aside(() -> {
            Map<Scope, Place> anew = taken(innermost, connection, settles);
            List<Scope> inwards = new ArrayList<>(anew.keySet());
            for (int i = inwards.size() - 1; i >= 0; i--) {
                letGo(inwards.get(i));
            }
            if (settles) {
                anew.forEach((scope, where) -> lock(scope, where, false));
            } else {
                tryEach(anew);
            }
            return true;
        });
    }

    /** Up to the first that somebody has: those inside it would be taken in another order. */
    private void tryEach(Map<Scope, Place> outermostFirst) {
        for (Map.Entry<Scope, Place> each : outermostFirst.entrySet()) {
            Place at = where(each.getKey(), each.getValue());
            if (!each.getKey().part(at.realm()).tryLockAt(at, true)) {
                return;
            }
        }
    }

    private static boolean areSettled(Scope innermost) {
        for (Scope scope = innermost; scope != null; scope = scope.outer()) {
            if (scope.awaitsLock()) {
                return false;
            }
        }
        return true;
    }

    /** Which are to be taken, and where, the outermost first: with one of them all those inside it whose place is not settled. */
    private Map<Scope, Place> taken(Scope innermost, BaseConnection connection, boolean settles) throws SQLException {
        Map<Scope, Place> anew = new LinkedHashMap<>();
        for (Scope scope : innermost.outermostFirst()) {
            if (scope.awaitsLock()) {
                Optional<Place> held = scope.place();
                Place where = held.isPresent() && !settles ? held.get() : realm.whereToLock(scope, connection);
                if (!anew.isEmpty() || held.filter(where::isOnDatabaseOf).isEmpty()) {
                    anew.put(scope, where);
                } else if (settles) {
                    scope.settlesLock();
                }
            }
        }
        return anew;
    }

    /** Whatever has become of it: nothing was done on a database under it. */
    private void letGo(Scope scope) {
        try {
            scope.unlock();
        } catch (RuntimeException e) {
            realm.say(
                    Level.INFO,
                    scope + ": its advisory lock was lost before the method had used a connection, and is taken anew: "
                            + e.getMessage());
        }
    }

    private static void lock(Scope scope, Place where, boolean presumed) {
        Place at = where(scope, where);
        scope.part(at.realm()).lockAt(at, presumed);
    }

    /**
     * Where a method around it has the same lock, or one before it has kept that for the transaction around both, on that one's
     * session: any other would wait for it.
     */
    private static Place where(Scope scope, Place belongs) {
        LockKey key = ScopePart.key(scope);
        for (Scope each = scope; each != null; each = each.outer()) {
            Optional<Place> held = Stream.concat(Stream.ofNullable(each.outer()), each.keptByCallers().stream())
                    .filter(other ->
                            other.place().filter(belongs::isOnDatabaseOf).isPresent())
                    .filter(other -> key.equals(ScopePart.key(other)))
                    .findFirst()
                    .flatMap(Scope::place);
            if (held.isPresent()) {
                return held.get();
            }
        }
        return belongs;
    }
}
