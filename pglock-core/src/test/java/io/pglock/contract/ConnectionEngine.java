// SPDX-License-Identifier: Apache-2.0
package io.pglock.contract;

import io.pglock.AdvisoryLock;
import io.pglock.LockHandle;
import io.pglock.LockKey;
import io.pglock.PgLock;
import io.pglock.testkit.Scenario;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;
import org.postgresql.PGConnection;

/** Locks of one's own session. */
final class ConnectionEngine implements Engine {

    @Override
    public Party on(Connection connection, Scenario scenario) {
        try {
            return new Session(connection, connection.unwrap(PGConnection.class).getBackendPID(), scenario);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private record Session(Connection connection, int pid, Scenario scenario) implements Party {

        @Override
        public Request advisory(LockKey key) {
            return new OnConnection(PgLock.on(connection).advisory(key));
        }

        @Override
        public Request advisory(String name) {
            return new OnConnection(PgLock.on(connection).advisory(name));
        }

        @Override
        public String name() {
            return "blocked by pid " + pid + " (";
        }

        @Override
        public boolean isWaiting() {
            try (Statement statement = scenario.observer().createStatement();
                    ResultSet row = statement.executeQuery(
                            "select exists (select 1 from pg_locks where not granted and pid = " + pid + ")")) {
                row.next();
                return row.getBoolean(1);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void look() {
            try (Statement statement = connection.createStatement()) {
                statement.execute("select 1");
            } catch (SQLException e) {
                // that is what it was for
            }
        }

        @Override
        public void close() {}
    }

    private record OnConnection(AdvisoryLock request) implements Request {

        @Override
        public Request shared() {
            return new OnConnection(request.shared());
        }

        @Override
        public Request timeout(Duration timeout) {
            return new OnConnection(request.timeout(timeout));
        }

        @Override
        public Request noTimeout() {
            return new OnConnection(request.noTimeout());
        }

        @Override
        public LockHandle acquire() {
            return request.acquire();
        }

        @Override
        public Optional<LockHandle> tryAcquire() {
            return request.tryAcquire();
        }

        @Override
        public Optional<LockHandle> tryAcquire(Duration timeout) {
            return request.tryAcquire(timeout);
        }

        @Override
        public <X extends Exception> void run(AdvisoryLock.Work<X> work) throws X {
            request.run(work);
        }

        @Override
        public <T, X extends Exception> T run(AdvisoryLock.Call<T, X> call) throws X {
            return request.run(call);
        }

        @Override
        public <X extends Exception> boolean tryRun(AdvisoryLock.Work<X> work) throws X {
            return request.tryRun(work);
        }

        @Override
        public <T, X extends Exception> Optional<T> tryRun(AdvisoryLock.Call<T, X> call) throws X {
            return request.tryRun(call);
        }

        @Override
        public String toString() {
            return request.toString();
        }
    }
}
