// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.PgSession;
import io.pglock.testkit.Call;
import io.pglock.testkit.Scenario;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.DataSource;

/** A method whose host tells {@link LockAttempts} what goes on, on the thread of the migration, and others in its way. */
abstract class AttemptsScene extends GuardScene {

    /** The sessions of the attempts, in order. */
    final List<Integer> pids = new CopyOnWriteArrayList<>();

    AttemptsScene(Scenario scenario, DataSource side) {
        super(scenario, side);
    }

    /** Where an attempt takes its connection from, and what becomes of that. */
    interface Pool {
        Connection take() throws SQLException;

        void giveBack(Connection connection) throws SQLException;
    }

    /** Each attempt has a new session. */
    final Pool fresh = new Pool() {
        @Override
        public Connection take() throws SQLException {
            return side.getConnection();
        }

        @Override
        public void giveBack(Connection connection) throws SQLException {
            connection.close();
        }
    };

    /** All attempts have the migration's session. */
    static Pool one(Connection connection) {
        return new Pool() {
            @Override
            public Connection take() {
                return connection;
            }

            @Override
            public void giveBack(Connection back) throws SQLException {
                if (!back.isClosed()) {
                    back.setAutoCommit(true);
                }
            }
        };
    }

    LockAttempts begin(LockPolicy policy) {
        return LockAttempts.begin("Archive.run", policy, this::say);
    }

    /** As a host does it: an attempt that fails is undone, and its connection given back, before it comes back. */
    String host(LockAttempts attempts, Pool pool, Doing work) throws SQLException {
        SQLException failure;
        do {
            Connection connection = pool.take();
            try {
                connection.setAutoCommit(false);
                pids.add(PgSession.of(connection).physical().getBackendPID());
                attempts.watch(connection, side);
                limit(connection, attempts.lockTimeout());
                work.on(connection);
                attempts.noteLocks(connection);
                attempts.endAttempt();
                connection.commit();
                return "done";
            } catch (SQLException e) {
                failure = e;
                attempts.endAttempt();
                if (!connection.isClosed()) {
                    connection.rollback();
                }
            } finally {
                pool.giveBack(connection);
            }
        } while (attempts.comesBack(failure));
        return failure.getSQLState() + " " + attempts.failed(failure).orElse("nothing to say")
                + (failure.getSuppressed().length == 0 ? "" : " SUPPRESSED " + List.of(failure.getSuppressed()));
    }

    static void limit(Connection connection, Optional<Duration> lockTimeout) throws SQLException {
        execute(
                connection,
                "set local lock_timeout = "
                        + lockTimeout.map(Duration::toMillis).orElse(0L));
    }

    /** Each attempt on a new connection. */
    Call<String> attempting(LockPolicy policy, String... sql) {
        return attempting(policy, connection -> execute(connection, sql));
    }

    Call<String> attempting(LockPolicy policy, Doing work) {
        return migration().run(unused -> {
            try (LockAttempts attempts = begin(policy)) {
                return host(attempts, fresh, work);
            }
        });
    }

    /** All attempts on one connection. */
    Call<String> onOne(LockPolicy policy, String... sql) {
        return migration().run(connection -> {
            try (LockAttempts attempts = begin(policy)) {
                return host(attempts, one(connection), mine -> execute(mine, sql));
            }
        });
    }

    /** Waits until the attempt with this number waits for a lock. */
    void awaitBlockedAttempt(int number) {
        scenario.await("attempt " + number + " to begin", () -> pids.size() >= number);
        scenario.awaitBlocked(pids.get(number - 1));
    }

    void awaitAnnouncement() {
        scenario.await("a pause to be announced", () -> hasSaid("Trying again"));
    }
}
