// SPDX-License-Identifier: Apache-2.0
package io.pglock.contract;

import io.pglock.AdvisoryLock;
import io.pglock.ClientLock;
import io.pglock.HandingOut;
import io.pglock.LockClient;
import io.pglock.LockHandle;
import io.pglock.LockKey;
import io.pglock.testkit.Scenario;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.postgresql.PGConnection;

/** Locks of a {@link LockClient}: of one for each party, or of one that all parties share. */
final class ClientEngine implements Engine {

    private final boolean oneForAll;
    private final AtomicInteger parties = new AtomicInteger();
    private LockClient common;
    private int commonPid;

    private ClientEngine(boolean oneForAll) {
        this.oneForAll = oneForAll;
    }

    static Engine clients() {
        return new ClientEngine(false);
    }

    /** The parties are owners of one client. */
    static Engine owners() {
        return new ClientEngine(true);
    }

    @Override
    public boolean hasSessionsOfItsOwn() {
        return !oneForAll;
    }

    @Override
    public Party on(Connection connection, Scenario scenario) {
        if (!oneForAll) {
            int pid = pid(connection);
            return new Client(
                    client(connection, scenario), pid, UnaryOperator.identity(), "blocked by pid " + pid + " (");
        }
        if (common == null) {
            common = client(connection, scenario);
            commonPid = pid(connection);
        }
        String owner = "owner-" + parties.incrementAndGet();
        return new Client(common, commonPid, request -> request.owner(owner), "held in this JVM by " + owner);
    }

    /** On that connection, which it may not close, and on new ones after that. */
    private static LockClient client(Connection connection, Scenario scenario) {
        AtomicInteger handedOut = new AtomicInteger();
        return LockClient.create(new HandingOut(() -> handedOut.getAndIncrement() == 0
                ? KeptOpen.of(connection)
                : scenario.database().connect()));
    }

    private static int pid(Connection connection) {
        try {
            return connection.unwrap(PGConnection.class).getBackendPID();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** @param whose for whom a lock is asked for */
    private record Client(LockClient client, int pid, UnaryOperator<ClientLock> whose, String name) implements Party {

        @Override
        public Request advisory(LockKey key) {
            return new OnClient(whose.apply(client.advisory(key)));
        }

        @Override
        public Request advisory(String name) {
            return new OnClient(whose.apply(client.advisory(name)));
        }

        @Override
        public boolean isWaiting() {
            String text = client.toString();
            return text.endsWith(" waiting") && !text.endsWith(", 0 waiting");
        }

        @Override
        public void look() {}

        @Override
        public void close() {
            client.close();
        }
    }

    private record OnClient(ClientLock request) implements Request {

        @Override
        public Request shared() {
            return new OnClient(request.shared());
        }

        @Override
        public Request timeout(Duration timeout) {
            return new OnClient(request.timeout(timeout));
        }

        @Override
        public Request noTimeout() {
            return new OnClient(request.noTimeout());
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
