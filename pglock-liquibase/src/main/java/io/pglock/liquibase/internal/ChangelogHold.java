// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockHandle;
import io.pglock.LockLostException;
import io.pglock.PgLock;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import liquibase.Scope;
import liquibase.database.Database;
import liquibase.exception.DatabaseException;

/**
 * The lock of a changelog, from taking it to releasing it, by the connection that holds it. Liquibase forgets its lock service
 * whenever a command ends, also one of another thread, and resets it in between; what its session holds must not be forgotten.
 *
 * <p>While it is held the server looks every second whether the client is still there (PostgreSQL 14+): the session of a
 * process that was killed would otherwise keep the lock until its statement has ended.
 *
 * <p>As thread-safe as the connection.
 */
final class ChangelogHold {

    private static final Map<Connection, ChangelogHold> HELD = Collections.synchronizedMap(new IdentityHashMap<>());

    private static final String UNCHECKED = "0";
    private static final String CHECKED = "1s";

    private final Changelog changelog;
    private final Connection connection;
    private final LockHandle handle;
    private final Instant since = Instant.now();
    private String lockedBy = "";
    private boolean checked;

    private ChangelogHold(Changelog changelog, Connection connection, LockHandle handle) {
        this.changelog = changelog;
        this.connection = connection;
        this.handle = handle;
    }

    /** What this connection holds. */
    static Optional<ChangelogHold> of(Connection connection) {
        return Optional.ofNullable(HELD.get(connection));
    }

    /**
     * Takes it, if nobody has it, without waiting and without a transaction that would outlast this.
     *
     * @throws io.pglock.LockNotSupportedException through a transaction pooler, or on a standby
     */
    static Optional<ChangelogHold> take(Changelog changelog, Connection connection) {
        synchronized (HELD) {
            HELD.values().removeIf(hold -> !hold.handle.isHeld());
        }
        Optional<ChangelogHold> taken = PgLock.on(connection)
                .advisory(changelog.key())
                .timeout(Duration.ZERO)
                .tryAcquire()
                .map(handle -> new ChangelogHold(changelog, connection, handle));
        taken.ifPresent(hold -> HELD.put(connection, hold));
        return taken;
    }

    Changelog changelog() {
        return changelog;
    }

    Instant since() {
        return since;
    }

    /** How the row names this holder; empty where there is no row. */
    String lockedBy() {
        return lockedBy;
    }

    void lockedBy(String name) {
        lockedBy = name;
    }

    /** Where the server cannot, it does not matter. */
    void checkClient(Database database) throws DatabaseException {
        try {
            checked = setClientCheck(UNCHECKED, CHECKED);
            database.commit();
        } catch (SQLException e) {
            Scope.getCurrentScope()
                    .getLog(getClass())
                    .fine("pglock: this server does not look whether its clients are there", e);
            database.rollback();
        }
    }

    /** What somebody else has set meanwhile stays. Commits. */
    void uncheckClient(Database database) throws SQLException, DatabaseException {
        if (checked) {
            setClientCheck(CHECKED, UNCHECKED);
            checked = false;
        }
        database.commit();
    }

    private boolean setClientCheck(String from, String to) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(Sql.CLIENT_CHECK)) {
            statement.setString(1, to);
            statement.setString(2, from);
            try (ResultSet row = statement.executeQuery()) {
                return row.next();
            }
        }
    }

    /**
     * Gives it back, once, whether that succeeds or not.
     *
     * @throws LockLostException when it was not held any more
     */
    void release() {
        HELD.remove(connection, this);
        handle.releaseNow();
    }

    /** Whether the lock is gone because its session is: then that is the failure, and this is only its consequence. */
    boolean isLostWithItsSession(Exception failure) {
        try {
            return connection.isClosed() || failure instanceof LockLostException && failure.getCause() != null;
        } catch (SQLException e) {
            return true;
        }
    }
}
