// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.Backend;
import io.pglock.LockGuard;
import io.pglock.LockNotSupportedException;
import io.pglock.PgLockException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import liquibase.Scope;
import liquibase.changelog.ChangeLogHistoryServiceFactory;
import liquibase.database.Database;
import liquibase.database.jvm.JdbcConnection;
import liquibase.exception.DatabaseException;
import liquibase.exception.LockException;
import liquibase.lockservice.DatabaseChangeLogLock;
import liquibase.lockservice.StandardLockService;
import liquibase.logging.Logger;

/**
 * The changelog lock as an advisory lock of Liquibase's own session, on PostgreSQL, where {@code changelogLock} says so: it ends
 * with the session, however that ends. With {@code both}, Liquibase's row is locked as well. It is tried for, again and again,
 * and never waited for in PostgreSQL: a statement that waits holds a snapshot, for which a {@code CREATE INDEX CONCURRENTLY} of
 * the holder waits in turn. As thread-safe as the database. Not API.
 */
public final class AdvisoryLockService extends StandardLockService {

    /** Above every other that is known, because the setting is explicit; below Liquibase's for databases without connection. */
    private static final int PRIORITY = 1000;

    private ChangelogLock mode = ChangelogLock.ADVISORY;

    /** As Liquibase needs it. */
    public AdvisoryLockService() {}

    @Override
    public int getPriority() {
        return PRIORITY;
    }

    /** @throws IllegalArgumentException when a setting is not in the right form */
    @Override
    public boolean supports(Database database) {
        return PgLockExecutor.isPostgres(database)
                && database.getConnection() instanceof JdbcConnection jdbc
                && LockGuard.serves(jdbc.getUnderlyingConnection())
                && PgLockSettings.policy(database).enabled()
                && PgLockSettings.changelogLock(database) != ChangelogLock.TABLE;
    }

    @Override
    public void setDatabase(Database database) {
        super.setDatabase(database);
        mode = PgLockSettings.changelogLock(database);
    }

    /** There is nothing to prepare, unless the row is wanted too. */
    @Override
    public void init() throws DatabaseException {
        if (mode == ChangelogLock.BOTH) {
            super.init();
        }
    }

    @Override
    public boolean hasChangeLogLock() {
        return hasChangeLogLock || ChangelogHold.of(connection()).isPresent();
    }

    @Override
    public void waitForLock() throws LockException {
        if (acquireLock()) {
            return;
        }
        ChangelogWait wait = ChangelogWait.upTo(getChangeLogLockWaitTime(), getChangeLogLockRecheckTime());
        Changelog changelog = changelog();
        boolean told = false;
        do {
            if (wait.isOver()) {
                throw new LockException("Could not acquire change log lock.  Currently locked by " + holder());
            }
            if (!told) {
                LockMessages.console("Waiting for changelog lock.... It is held by " + holder());
                told = true;
            }
            try {
                wait.pause();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new LockException(
                        "Interrupted while waiting for the changelog lock, which is held by " + holder(), e);
            }
        } while (!acquire(changelog));
    }

    @Override
    public boolean acquireLock() throws LockException {
        if (!executesStatements()) {
            hasChangeLogLock = mode != ChangelogLock.BOTH || super.acquireLock();
            return hasChangeLogLock;
        }
        return ChangelogHold.of(connection()).isPresent() || acquire(changelog());
    }

    /** Which one it is, asked in a transaction that has ended by now, whatever this session had left open before. */
    private Changelog changelog() throws LockException {
        try {
            database.rollback();
            Changelog changelog = Changelog.of(database, connection());
            database.commit();
            return changelog;
        } catch (SQLException | DatabaseException e) {
            throw new LockException(e);
        }
    }

    /** In one round trip and without a transaction, unless the lock is free. */
    private boolean acquire(Changelog changelog) throws LockException {
        try {
            Optional<ChangelogHold> taken = ChangelogHold.take(changelog, connection());
            return taken.isPresent() && complete(taken.get());
        } catch (LockNotSupportedException e) {
            throw new LockException(
                    "pglock: changelogLock=" + mode + ": " + e.getMessage()
                            + " Liquibase needs a session of its own: give it a direct connection to the primary.",
                    e);
        } catch (SQLException | DatabaseException | PgLockException e) {
            throw new LockException(e);
        }
    }

    /** What follows when this session has the advisory lock, which it keeps only if all of that succeeds. */
    private boolean complete(ChangelogHold hold) throws SQLException, DatabaseException {
        boolean complete = false;
        try {
            if (mode == ChangelogLock.BOTH && !lockRow(hold)) {
                return false;
            }
            if (mode == ChangelogLock.ADVISORY) {
                warnOfLockedRow(hold.changelog());
            }
            hold.checkClient(database);
            // what this JVM knows of the changelog may be from before somebody else had the lock
            Scope.getCurrentScope()
                    .getSingleton(ChangeLogHistoryServiceFactory.class)
                    .resetAll();
            database.setCanCacheLiquibaseTableInfo(true);
            database.rollback();
            log().info("Successfully acquired change log lock");
            hasChangeLogLock = true;
            complete = true;
            return true;
        } finally {
            if (!complete) {
                endTransaction();
                hold.release();
            }
        }
    }

    private boolean lockRow(ChangelogHold hold) throws SQLException, DatabaseException {
        if (!isDatabaseChangeLogLockTableInitialized) {
            super.init();
        }
        Optional<ChangelogRow> before;
        Optional<String> name;
        try {
            before = ChangelogRow.locked(database, connection());
            name = ChangelogRow.lock(database, connection(), hold.changelog());
        } catch (SQLException e) {
            if (SqlCauses.isLockTimeout(e)) {
                return false; // somebody is about to change the row: it is waited for as one that is locked
            }
            throw e;
        }
        database.commit();
        name.ifPresent(hold::lockedBy);
        if (name.isPresent()) {
            before.ifPresent(stale -> LockMessages.warning(stale.takenOver()));
        }
        return name.isPresent();
    }

    private void warnOfLockedRow(Changelog changelog) throws DatabaseException {
        try {
            ChangelogRow.locked(database, connection())
                    .filter(row -> !row.isOf(changelog))
                    .ifPresent(row -> LockMessages.warning(row.doesNotCount()));
        } catch (SQLException e) {
            log().fine("pglock: cannot look into " + ChangelogRow.table(database), e);
        } finally {
            database.rollback();
        }
    }

    /** Liquibase's rollback begins another one. */
    private void endTransaction() {
        try {
            database.rollback();
            database.commit();
        } catch (DatabaseException e) {
            log().warning("Failed to rollback", e);
        }
    }

    @Override
    public void releaseLock() throws LockException {
        hasChangeLogLock = false;
        if (!executesStatements()) {
            if (mode == ChangelogLock.BOTH) {
                super.releaseLock();
            }
            return;
        }
        database.setCanCacheLiquibaseTableInfo(false);
        Optional<ChangelogHold> held = ChangelogHold.of(connection());
        if (held.isPresent()) {
            release(held.get());
        } else {
            log().fine("pglock: this session holds no changelog lock");
        }
    }

    private void release(ChangelogHold hold) throws LockException {
        try {
            boolean unlocked;
            try {
                database.rollback();
                unlocked = hold.lockedBy().isEmpty() || ChangelogRow.unlock(database, connection(), hold.lockedBy());
                hold.uncheckClient(database);
            } catch (SQLException | DatabaseException | RuntimeException e) {
                uncheckClient(hold, e);
                throw e;
            } finally {
                hold.release();
            }
            if (!unlocked) {
                throw new LockException(
                        "pglock: the row of " + ChangelogRow.table(database) + " was not locked by " + hold.lockedBy()
                                + " any more: somebody has released it, and this run may not have been alone.");
            }
            log().info("Successfully released change log lock");
        } catch (SQLException | DatabaseException | RuntimeException e) {
            if (!hold.isLostWithItsSession(e)) {
                throw new LockException(
                        "pglock: the changelog lock was not released as it should: " + e.getMessage(), e);
            }
            log().warning("pglock: the session that held the changelog lock is lost, and the lock with it: "
                    + e.getMessage());
        }
    }

    /** Whatever has failed, nobody is to find that setting in the session. */
    private void uncheckClient(ChangelogHold hold, Exception failure) {
        try {
            database.rollback();
            hold.uncheckClient(database);
        } catch (SQLException | DatabaseException e) {
            failure.addSuppressed(e);
        }
    }

    /** A lock for each session that holds it, with its pid as id, and since when that session has been there. */
    @Override
    public DatabaseChangeLogLock[] listLocks() throws LockException {
        List<DatabaseChangeLogLock> locks = new ArrayList<>();
        Optional<ChangelogHold> own = ChangelogHold.of(connection());
        own.ifPresent(hold -> locks.add(new DatabaseChangeLogLock(1, Date.from(hold.since()), "this session")));
        holders().forEach(holder -> locks.add(Changelog.heldBy(holder)));
        if (mode == ChangelogLock.BOTH && own.isEmpty()) {
            Changelog changelog = changelog();
            boolean alive = !locks.isEmpty();
            row().filter(row -> !alive || !row.isOf(changelog)).ifPresent(row -> locks.add(row.held(changelog)));
        }
        return locks.toArray(DatabaseChangeLogLock[]::new);
    }

    /**
     * What {@code release-locks} does: nobody can unlock an advisory lock of another session, and none needs to, unless that is
     * alive. A row is released when no session holds the advisory lock that its mark names.
     *
     * @throws LockException when a session holds it, saying which, and how to end it
     */
    @Override
    public void forceReleaseLock() throws LockException, DatabaseException {
        if (ChangelogHold.of(connection()).isPresent()) {
            releaseLock();
        } else if (mode != ChangelogLock.BOTH || !releaseRow()) {
            requireDead(holders());
            LockMessages.console("Nobody holds the changelog lock.");
        }
    }

    private static void requireDead(List<Backend> holders) throws LockException {
        if (!holders.isEmpty()) {
            throw new LockException("The changelog lock belongs to a session, and only that can release it: "
                    + Changelog.remedy(holders));
        }
    }

    /**
     * Unless it is that of one of ours that is alive: then this session does not get the advisory lock meanwhile, or, where
     * another changelog has the same lock table, sees who has that one's.
     */
    private boolean releaseRow() throws LockException {
        try {
            Changelog changelog = changelog();
            Optional<ChangelogHold> taken = ChangelogHold.take(changelog, connection());
            try {
                Optional<ChangelogRow> row = row().filter(locked -> taken.isPresent() || !locked.isOf(changelog));
                requireDead(row.flatMap(locked -> locked.changelog(changelog.database()))
                        .map(marked -> marked.holders(connection()))
                        .orElse(List.of()));
                boolean released = row.isPresent()
                        && ChangelogRow.unlock(database, connection(), row.get().lockedBy());
                database.commit();
                return released;
            } finally {
                taken.ifPresent(ChangelogHold::release);
            }
        } catch (SQLException | DatabaseException | PgLockException e) {
            throw new LockException(e);
        }
    }

    private List<Backend> holders() throws LockException {
        try {
            Optional<ChangelogHold> own = ChangelogHold.of(connection());
            return (own.isPresent() ? own.get().changelog() : changelog()).holders(connection());
        } catch (PgLockException e) {
            throw new LockException(e);
        }
    }

    private Optional<ChangelogRow> row() throws LockException {
        try {
            return ChangelogRow.locked(database, connection());
        } catch (SQLException e) {
            throw new LockException(e);
        } finally {
            endTransaction();
        }
    }

    /** For a message; that it cannot be found out is no failure. */
    private String holder() {
        try {
            List<Backend> holders = holders();
            if (!holders.isEmpty()) {
                return Changelog.remedy(holders);
            }
            return (mode == ChangelogLock.BOTH ? row() : Optional.<ChangelogRow>empty())
                    .map(ChangelogRow::describe)
                    .orElse("somebody who is gone by now");
        } catch (LockException e) {
            log().fine("pglock: cannot find out who holds the changelog lock", e);
            return "UNKNOWN";
        }
    }

    /** Not where Liquibase only writes them down, for {@code update-sql}. */
    private boolean executesStatements() {
        return PgLockExecutor.ofJdbc(database).updatesDatabase();
    }

    private Connection connection() {
        if (database.getConnection() instanceof JdbcConnection jdbc) {
            return jdbc.getUnderlyingConnection();
        }
        throw new IllegalStateException("not a JDBC connection: " + database.getConnection());
    }

    private Logger log() {
        return Scope.getCurrentScope().getLog(getClass());
    }
}
