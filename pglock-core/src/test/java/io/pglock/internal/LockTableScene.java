// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockKey;
import io.pglock.testkit.PostgresTest;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;

/** A client of which the test says what time it is and when it asks its server. */
@PostgresTest
abstract class LockTableScene {

    static final LockKey KEY = LockKey.named("nightly-report");
    static final Wait NOT_AT_ALL = Wait.upTo(Duration.ZERO);

    private final DataSource dataSource;
    private final List<Client> clients = new ArrayList<>();

    LockTableScene(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    /** A client without its thread. */
    static final class Client {

        final LockTable table = new LockTable(20_000, 1_000_000_000, Runnable::run);
        final LockLink link;
        long now = System.nanoTime();
        boolean idle;

        Client(DataSource dataSource) throws SQLException {
            link = LockLink.open(dataSource::getConnection, "", Duration.ofSeconds(10));
        }

        /** One turn of the thread. */
        List<LockOp> step() throws SQLException {
            table.at(now);
            LockBatch batch = table.plan();
            List<LockOp> asked =
                    batch.entries().stream().map(LockBatch.Entry::op).toList();
            idle = batch.isEmpty();
            if (!idle) {
                link.run(batch);
                table.confirmed();
            }
            return asked;
        }

        /** Until nothing is left to do at this moment. */
        void settle() throws SQLException {
            int steps = 0;
            do {
                step();
                assertThat(steps++).as("steps until nothing is left to do").isLessThan(1_000);
            } while (!idle || table.idleFor(1, true) == 0);
        }

        LockRequest request(Object owner, boolean shared, Wait wait, LockKey... keys) {
            LockRequest request = new LockRequest(List.of(keys), shared, owner, wait);
            table.at(now);
            table.request(request, true);
            return request;
        }

        LockRequest write(Object owner) {
            return request(owner, false, Wait.FOREVER, KEY);
        }

        LockRequest read(Object owner) {
            return request(owner, true, Wait.FOREVER, KEY);
        }

        void release(LockRequest granted) {
            ClientHold hold = hold(granted);
            hold.release();
            table.release(hold, new LockRelease(hold.keys().size()));
        }

        void later(Duration time) {
            now += time.toNanos();
        }
    }

    Client client() throws SQLException {
        Client client = new Client(dataSource);
        clients.add(client);
        return client;
    }

    @AfterEach
    void close() {
        clients.forEach(client -> client.link.close());
    }

    static ClientHold hold(LockRequest granted) {
        assertThat(granted.outcome()).isCompletedWithValueMatching(LockRequest.Outcome.Granted.class::isInstance);
        return ((LockRequest.Outcome.Granted) granted.outcome().join()).hold();
    }

    static boolean isGranted(LockRequest request) {
        return request.outcome().getNow(null) instanceof LockRequest.Outcome.Granted;
    }
}
