// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static io.pglock.internal.LockOp.DOWNGRADE;
import static io.pglock.internal.LockOp.IS_AWAITED;
import static io.pglock.internal.LockOp.TRY;
import static io.pglock.internal.LockOp.TRY_SHARED;
import static io.pglock.internal.LockOp.TRY_SHARED_UNLESS_AWAITED;
import static io.pglock.internal.LockOp.UNLOCK;
import static io.pglock.internal.LockOp.UNLOCK_SHARED;
import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/**
 * What a client asks of its server so that many may read at once, and whoever writes gets his turn: step by step, as in
 * {@link LockTableTest}.
 */
class ReadersAndWritersTest extends LockTableScene {

    ReadersAndWritersTest(DataSource dataSource) {
        super(dataSource);
    }

    @Test
    void letsAReaderInWhoWasBehindAWriterThatHasGivenUp() throws SQLException {
        Client client = client();
        client.read("reader");
        client.step();
        LockRequest writer = client.write("writer");
        LockRequest late = client.read("late reader");
        client.step();
        assertThat(isGranted(late)).as("it does not overtake a writer").isFalse();

        writer.giveUp();
        client.table.givenUp(writer);
        client.step();

        assertThat(isGranted(late)).isTrue();
    }

    @Test
    void keepsReadersOutWhenAWriterWaitsInAnotherClient() throws SQLException {
        Client client = client();
        Client other = client();
        LockRequest reader = client.read("reader");
        client.step();
        LockRequest writer = other.write("writer");
        other.step();
        other.later(Duration.ofMillis(10));
        other.step();

        LockRequest soon = client.read("soon");
        assertThat(isGranted(soon)).isTrue();
        client.later(Duration.ofMillis(50));
        LockRequest late = client.read("late");
        LockRequest hasty = client.request("hasty", true, NOT_AT_ALL, KEY);
        assertThat(client.step()).containsExactly(IS_AWAITED);
        assertThat(isGranted(late)).isFalse();
        assertThat(hasty.outcome()).isCompletedWithValueMatching(LockRequest.Outcome.NotAcquired.class::isInstance);
        assertThat(client.request("next", true, NOT_AT_ALL, KEY).isDone()).isTrue();

        client.release(reader);
        client.release(soon);
        assertThat(client.step()).containsExactly(UNLOCK_SHARED, TRY_SHARED_UNLESS_AWAITED);
        other.later(Duration.ofMillis(50));
        other.step();
        assertThat(isGranted(writer)).isTrue();
    }

    @Test
    void keepsReadersOutWhenAWriterWaitsOnTheServer(Scenario scenario) throws SQLException {
        Client client = client();
        client.read("reader");
        client.step();
        Session session = scenario.session("session");
        Running waiting = session.start("select pg_advisory_lock(" + KEY.number() + ")");
        scenario.awaitBlocked(session);

        client.later(Duration.ofMillis(50));
        LockRequest late = client.read("late");
        client.step();

        assertThat(isGranted(late)).isFalse();
        assertThat(waiting.isDone()).isFalse();
        client.table.lost(new Hold.Loss("the test is over", null));
        client.link.cut();
        waiting.result();
    }

    @Test
    void letsReadersInForAsLongAsNoWriterWaitsAnywhere() throws SQLException {
        Client client = client();
        client.read("reader");
        client.step();
        int asked = 0;
        for (int i = 0; i < 100; i++) {
            client.later(Duration.ofMillis(100));
            LockRequest next = client.read("reader " + i);
            asked += client.step().contains(IS_AWAITED) ? 1 : 0;
            assertThat(isGranted(next)).isTrue();
        }
        assertThat(asked).as("how often it was asked within 10 s").isBetween(5, 15);
    }

    /** However long the others have been reading by now. */
    @Test
    void doesNotSendReadersAwayWhoDoNotWantToWaitBeforeItHasAskedWhetherAWriterWaits() throws SQLException {
        Client client = client();
        client.read("reader");
        client.step();
        client.later(Duration.ofMillis(60));
        LockRequest one = client.request("one", true, NOT_AT_ALL, KEY);
        LockRequest two = client.request("two", true, NOT_AT_ALL, KEY);

        assertThat(client.step()).containsExactly(IS_AWAITED);

        assertThat(isGranted(one)).isTrue();
        assertThat(isGranted(two)).isTrue();
    }

    @Test
    void keepsTheLockForReadingWhenAWriterDowngrades(Scenario scenario) throws SQLException {
        Client client = client();
        LockRequest writer = client.write("owner");
        client.step();
        LockRequest reader = client.read("owner");
        LockRequest other = client.read("other");
        assertThat(isGranted(reader)).isTrue();
        assertThat(isGranted(other)).isFalse();

        client.release(writer);
        assertThat(client.step()).containsExactly(DOWNGRADE);

        assertThat(isGranted(other)).isTrue();
        assertThat(client.link.found()).containsExactly(new LockLink.Found(KEY, true));
    }

    @Test
    void tellsALossToAWriterWhoStaysAsAReader() throws SQLException {
        Client client = client();
        LockRequest writer = client.write("owner");
        client.step();
        client.read("owner");
        ClientHold hold = hold(writer);
        hold.release();
        LockRelease release = new LockRelease(1);
        client.table.release(hold, release);

        client.table.lost(new Hold.Loss("the session is gone", null));

        assertThat(CompletableFuture.supplyAsync(release::await))
                .succeedsWithin(Duration.ofSeconds(60))
                .satisfies(loss -> assertThat(loss).isPresent());
    }

    @Test
    void doesNotLetGoOfALockToDowngradeIt(Scenario scenario) throws SQLException {
        Client client = client();
        LockRequest writer = client.write("owner");
        client.step();
        LockRequest reader = client.read("owner");
        Session session = scenario.session("session");
        Running waiting = session.start("select pg_advisory_lock(" + KEY.number() + ")");
        scenario.awaitBlocked(session);

        client.release(writer);
        client.settle();

        assertThat(waiting.isDone()).isFalse();
        assertThat(hold(reader).isHeld()).isTrue();
        client.release(reader);
        client.settle();
        waiting.result();
    }

    @Test
    void goesFromReadersToAWriterAndBackThroughTheServer() throws SQLException {
        Client client = client();
        LockRequest reader = client.read("reader");
        client.step();
        LockRequest writer = client.write("writer");
        LockRequest late = client.read("late");

        client.release(reader);
        assertThat(client.step()).containsExactly(UNLOCK_SHARED, TRY);
        assertThat(isGranted(writer)).isTrue();

        client.release(writer);
        assertThat(client.step()).containsExactly(UNLOCK, TRY_SHARED);
        assertThat(isGranted(late)).isTrue();
    }
}
