// SPDX-License-Identifier: Apache-2.0
package io.pglock.stress;

import io.pglock.AdvisoryLock;
import io.pglock.LockDeadlockException;
import io.pglock.LockHandle;
import io.pglock.LockKey;
import io.pglock.PgLock;
import io.pglock.PgLockException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.postgresql.PGConnection;

/** A thread that takes locks on a connection of its own: with {@link PgLock}, and as those do who do not know pglock. */
final class SessionWorker extends FuzzWorker {

    private Connection connection;
    private int pid;

    SessionWorker(String name, Random random, FuzzRun run) throws SQLException {
        super(name, random, run);
        this.connection = connect();
        this.pid = pid();
    }

    private Connection connect() throws SQLException {
        Connection fresh = run.access().connect();
        try (Statement statement = fresh.createStatement()) {
            statement.execute("set application_name = '" + name + "'");
        }
        return fresh;
    }

    private int pid() throws SQLException {
        return connection.unwrap(PGConnection.class).getBackendPID();
    }

    @Override
    void end() {
        try {
            connection.close();
        } catch (SQLException e) {
            run.failed(name, e);
        }
    }

    @Override
    void step() throws Exception {
        int key = random.nextInt(KEYS.size());
        boolean shared = oneIn(3);
        try {
            switch (random.nextInt(4)) {
                case 0, 1 -> session(key, shared);
                case 2 -> transaction(key, shared);
                default -> plain(key, shared);
            }
            dwell();
        } catch (SQLException | PgLockException e) {
            if (!connection.isClosed() && connection.isValid(5)) {
                throw e;
            }
            connection = connect();
            pid = pid();
        }
    }

    private AdvisoryLock request(int key, boolean shared) {
        AdvisoryLock request = PgLock.on(connection).advisory(KEYS.get(key)).timeout(timeout());
        return shared ? request.shared() : request;
    }

    private Duration timeout() {
        return oneIn(3) ? Duration.ZERO : Duration.ofMillis(1 + random.nextInt(100));
    }

    private void session(int key, boolean shared) throws SQLException {
        Optional<LockHandle> acquired = acquire(request(key, shared));
        if (acquired.isEmpty()) {
            run.counts().notInTime().increment();
            return;
        }
        Watched watched = Watched.of(acquired.get(), name);
        Long[] ids = log.enter(List.of(key), shared, name, pid);
        long token = oneIn(2) ? token(watched.handle()) : 0;
        dwell();
        log.leave(ids, token);
        if (isLostWhenClosed(watched)) {
            log.told(ids);
        }
    }

    /** Two that wait for each other's lock cannot be: each has one. */
    private static Optional<LockHandle> acquire(AdvisoryLock request) {
        try {
            return request.tryAcquire();
        } catch (LockDeadlockException e) {
            throw new AssertionError("a deadlock of those who hold nothing: " + request, e);
        }
    }

    private void transaction(int key, boolean shared) throws SQLException {
        connection.setAutoCommit(false);
        boolean acquired = request(key, shared).tryAcquireXact();
        if (acquired) {
            Long[] ids = log.enter(List.of(key), shared, name, pid);
            dwell();
            log.leave(ids, 0);
            end(ids);
        } else {
            run.counts().notInTime().increment();
            connection.rollback();
        }
        connection.setAutoCommit(true);
    }

    private void end(Long[] ids) throws SQLException {
        try {
            connection.commit();
            if (connection.isValid(5)) {
                return;
            }
        } catch (SQLException e) {
            log.told(ids);
            throw e;
        }
        log.told(ids);
    }

    private void plain(int key, boolean shared) throws SQLException {
        boolean waits = oneIn(2);
        if (waits) {
            execute("select pg_advisory_lock" + (shared ? "_shared" : "") + arguments(key));
        } else if (!isTrue("select pg_try_advisory_lock" + (shared ? "_shared" : "") + arguments(key))) {
            run.counts().notInTime().increment();
            return;
        }
        Long[] ids = log.enter(List.of(key), shared, name, pid);
        dwell();
        log.leave(ids, 0);
        try {
            check(isTrue("select pg_advisory_unlock" + (shared ? "_shared" : "") + arguments(key)), "not held");
        } catch (SQLException e) {
            log.told(ids);
            throw e;
        }
    }

    private static String arguments(int key) {
        LockKey name = KEYS.get(key);
        long number = name.number();
        return name.isPair() ? "(" + (int) (number >> 32) + ", " + (int) number + ")" : "(" + number + ")";
    }

    private void execute(String sql) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.execute();
        }
    }

    private boolean isTrue(String sql) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql);
                ResultSet row = statement.executeQuery()) {
            return row.next() && row.getBoolean(1);
        }
    }
}
