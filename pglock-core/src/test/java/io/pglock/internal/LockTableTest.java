// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static io.pglock.internal.LockOp.ANNOUNCE;
import static io.pglock.internal.LockOp.DOWNGRADE;
import static io.pglock.internal.LockOp.IS_AWAITED;
import static io.pglock.internal.LockOp.TRY;
import static io.pglock.internal.LockOp.TRY_SHARED;
import static io.pglock.internal.LockOp.TRY_SHARED_UNLESS_AWAITED;
import static io.pglock.internal.LockOp.TRY_UNLESS_AWAITED;
import static io.pglock.internal.LockOp.UNLOCK;
import static io.pglock.internal.LockOp.UNLOCK_SHARED;
import static io.pglock.internal.LockOp.WITHDRAW;
import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockKey;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * What a client asks of its server, step by step: the table's plans are carried out on a real session, but when, and what time it
 * is, the test says.
 */
@PostgresTest
class LockTableTest {

    private static final LockKey KEY = LockKey.named("nightly-report");
    private static final Wait NOT_AT_ALL = Wait.upTo(Duration.ZERO);

    private final DataSource dataSource;
    private final List<Client> clients = new ArrayList<>();

    LockTableTest(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    /** A client without its thread. */
    private static final class Client {

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

    private Client client() throws SQLException {
        Client client = new Client(dataSource);
        clients.add(client);
        return client;
    }

    @AfterEach
    void close() {
        clients.forEach(client -> client.link.close());
    }

    private static ClientHold hold(LockRequest granted) {
        assertThat(granted.outcome()).isCompletedWithValueMatching(LockRequest.Outcome.Granted.class::isInstance);
        return ((LockRequest.Outcome.Granted) granted.outcome().join()).hold();
    }

    private static boolean isGranted(LockRequest request) {
        return request.outcome().getNow(null) instanceof LockRequest.Outcome.Granted;
    }

    @Test
    void asksForAllThatIsWantedAtOnceInOneStatement() throws SQLException {
        Client client = client();
        List<LockRequest> requests = IntStream.range(0, 500)
                .mapToObj(i -> client.request("owner " + i, i % 2 == 0, Wait.FOREVER, LockKey.of(i % 3, i)))
                .toList();

        assertThat(client.step()).hasSize(500);

        assertThat(requests).allMatch(LockTableTest::isGranted);
        requests.forEach(client::release);
        assertThat(client.step()).hasSize(500).containsOnly(UNLOCK, UNLOCK_SHARED);
        client.settle();
        assertThat(client.table.queues()).isEmpty();
    }

    @Test
    void asksInPortionsWhenItIsVeryMuch() throws SQLException {
        Client client = client();
        for (int i = 0; i < LockBatch.MOST + 1; i++) {
            client.request("owner", false, Wait.FOREVER, LockKey.of(i));
        }
        assertThat(client.step()).hasSize(LockBatch.MOST);
        assertThat(client.step()).containsExactly(TRY);
        assertThat(client.link.found()).hasSize(LockBatch.MOST + 1);
    }

    @Test
    void passesALockOnEightTimesBeforeTheServerGetsItBack() throws SQLException {
        Client client = client();
        List<LockRequest> requests = IntStream.rangeClosed(0, 10)
                .mapToObj(i -> client.write("owner " + i))
                .toList();
        assertThat(client.step()).containsExactly(TRY);

        for (int i = 0; i < Turn.MOST_PASSES; i++) {
            client.release(requests.get(i));
            assertThat(client.step()).isEmpty();
            assertThat(isGranted(requests.get(i + 1))).isTrue();
        }
        client.release(requests.get(Turn.MOST_PASSES));
        assertThat(client.step()).containsExactly(UNLOCK, TRY_UNLESS_AWAITED);

        assertThat(isGranted(requests.get(Turn.MOST_PASSES + 1)))
                .as("nobody else wanted it")
                .isTrue();
    }

    @Test
    void givesALockBackAfterFiftyMilliseconds() throws SQLException {
        Client client = client();
        LockRequest first = client.write("one");
        client.write("another");
        client.step();

        client.later(Duration.ofMillis(50));
        client.release(first);

        assertThat(client.step()).containsExactly(UNLOCK, TRY_UNLESS_AWAITED);
    }

    @Test
    void leavesALockToAClientThatHasAnnouncedThatItWaits() throws SQLException {
        Client client = client();
        Client other = client();
        LockRequest first = client.write("one");
        LockRequest second = client.write("two");
        client.step();
        LockRequest others = other.write("other");
        assertThat(other.step()).containsExactly(TRY);
        other.later(Duration.ofMillis(10));
        assertThat(other.step()).containsExactly(TRY, ANNOUNCE);

        client.later(Duration.ofMillis(50));
        client.release(first);
        assertThat(client.step()).containsExactly(UNLOCK, TRY_UNLESS_AWAITED);

        assertThat(isGranted(second)).isFalse();
        client.later(Duration.ofMillis(49));
        assertThat(client.step())
                .as("it leaves the other one as much time as it had itself")
                .isEmpty();
        other.later(Duration.ofMillis(50));
        assertThat(other.step()).containsExactly(TRY);
        assertThat(isGranted(others)).isTrue();
        assertThat(other.step()).containsExactly(WITHDRAW);
        client.later(Duration.ofMillis(50));
        assertThat(client.step()).containsExactly(TRY, ANNOUNCE);
    }

    @Test
    void failsOneOfThoseWhoWaitWhenTheServerRefusesToBeAsked() throws SQLException {
        Client holder = client();
        Client client = client();
        holder.write("holder");
        holder.step();
        LockRequest first = client.write("one");
        LockRequest second = client.write("two");
        client.step();
        client.later(Duration.ofMillis(10));
        client.table.at(client.now);
        List<LockBatch.Entry> failed = client.table.plan().entries();
        assertThat(failed).extracting(LockBatch.Entry::op).containsExactly(TRY, ANNOUNCE);

        client.table.failFirst(failed, new IllegalStateException("no room"));

        assertThat(first.isDone()).isTrue();
        assertThat(second.isDone()).isFalse();
    }

    @Test
    void whoWaitsOnTheServerGetsItWhenATurnEnds(Scenario scenario) throws SQLException {
        Client client = client();
        LockRequest first = client.write("one");
        LockRequest second = client.write("two");
        client.step();
        Session session = scenario.session("session");
        Running waiting = session.start("select pg_advisory_lock(" + KEY.number() + ")");
        scenario.awaitBlocked(session);

        client.later(Duration.ofMillis(50));
        client.release(first);
        client.step();

        waiting.result();
        assertThat(isGranted(second)).isFalse();
    }

    @Test
    void waitsBetweenOneMillisecondAndFifty() throws SQLException {
        Client holder = client();
        Client client = client();
        holder.write("holder");
        holder.step();
        client.write("waiter");
        int asked = 0;
        for (int i = 0; i < 1_000; i++) {
            asked += client.step().contains(TRY) ? 1 : 0;
            client.later(Duration.ofMillis(1));
        }
        assertThat(asked).isBetween(1_000 / 50, 1_000 / 25 + 8);
    }

    @Test
    void asksForAllThatItWaitsForInOneTick() throws SQLException {
        Client holder = client();
        Client client = client();
        for (int i = 0; i < 100; i++) {
            holder.request("holder", false, Wait.FOREVER, LockKey.of(i));
        }
        holder.step();
        for (int i = 0; i < 100; i++) {
            client.request("waiter", false, Wait.FOREVER, LockKey.of(i));
        }
        int ticks = 0;
        for (int i = 0; i < 1_000; i++) {
            ticks += client.step().isEmpty() ? 0 : 1;
            client.later(Duration.ofMillis(1));
        }
        assertThat(ticks).as("statements in a second, for 100 keys").isLessThan(400);
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
    void unlocksWhatNobodyWantsAnyMore() throws SQLException {
        Client client = client();
        LockRequest request = client.write("owner");
        LockBatch batch = client.table.plan();
        request.giveUp();
        client.link.run(batch);

        assertThat(client.step()).containsExactly(UNLOCK);
        assertThat(client.link.found()).isEmpty();
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
    void believesAReleaseInsideTheJvmWhenTheServerHasAnswered() throws SQLException {
        Client client = client();
        LockRequest first = client.write("one");
        client.write("two");
        client.step();
        ClientHold hold = hold(first);
        hold.release();
        LockRelease release = new LockRelease(1);
        client.table.release(hold, release);

        assertThat(client.step()).as("it is passed on without the server").isEmpty();
        assertThat(client.idle).isTrue();
        client.later(Duration.ofMillis(1));
        client.step();

        assertThat(client.idle).as("the server was asked").isFalse();
        assertThat(CompletableFuture.supplyAsync(release::await))
                .succeedsWithin(Duration.ofSeconds(60))
                .isEqualTo(Optional.empty());
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

    @Test
    void takesSeveralKeysOrNone() throws SQLException {
        Client client = client();
        Client other = client();
        LockKey a = LockKey.of(1);
        LockKey b = LockKey.of(1, 2);
        LockKey c = LockKey.of(3);
        LockRequest others = other.request("other", false, Wait.FOREVER, c);
        other.step();

        LockRequest all = client.request("owner", false, Wait.FOREVER, a, b, c);
        client.step();
        assertThat(client.link.found()).isEmpty();
        client.later(Duration.ofMillis(5));
        client.step();
        assertThat(client.link.found())
                .as("what it waits for is announced")
                .hasSize(3)
                .noneMatch(found -> !found.shared());

        other.release(others);
        other.step();
        client.later(Duration.ofMillis(50));
        client.settle();
        assertThat(isGranted(all)).isTrue();
        assertThat(client.link.found()).extracting(LockLink.Found::key).containsExactlyInAnyOrder(a, b, c);
        client.release(all);
        client.settle();
        assertThat(client.link.found()).isEmpty();
        assertThat(client.table.queues()).isEmpty();
    }

    /** Else it would be announced again, and refused again, for as long as that lasts, without a pause. */
    @Test
    void failsARequestForSeveralKeysWithTheStatementInWhichItWasAnnounced() throws SQLException {
        LockKey a = LockKey.of(1);
        LockKey b = LockKey.of(2);
        Client holder = client();
        holder.request("owner", false, Wait.FOREVER, a);
        holder.step();
        Client client = client();
        LockRequest both = client.request("all", false, Wait.FOREVER, a, b);
        client.settle();
        LockRequest another = client.request("others", false, Wait.FOREVER, LockKey.of(3), LockKey.of(4));
        client.later(Duration.ofMillis(50));
        client.table.at(client.now);

        LockBatch announcing = client.table.plan();

        assertThat(announcing.entries()).extracting(LockBatch.Entry::key).containsExactlyInAnyOrder(a, b);
        assertThat(announcing.failedSeveral())
                .extracting(LockBatch.Several::request)
                .containsExactly(both);
        announcing.answer("11");
        assertThat(announcing.failedSeveral())
                .extracting(LockBatch.Several::request)
                .containsExactly(both);
        announcing.answerSeveral(false);
        assertThat(announcing.failedSeveral())
                .extracting(LockBatch.Several::request)
                .containsExactly(another);
    }

    @Test
    void givesTwoHoldersOfALockDifferentTokens() throws SQLException {
        Client client = client();
        LockRequest one = client.read("one");
        LockRequest two = client.read("two");
        client.step();
        CompletableFuture<Long> first = new CompletableFuture<>();
        CompletableFuture<Long> second = new CompletableFuture<>();
        client.table.token(new LockBatch.Token(hold(one), first));
        client.table.token(new LockBatch.Token(hold(two), second));

        client.step();
        assertThat(first).isCompleted();
        assertThat(second).isNotCompleted();
        client.step();
        assertThat(second).isCompletedWithValueMatching(token -> token > first.join());
    }

    @Test
    void asksForATokenInVainWhereTheLockIsReleased() throws SQLException {
        Client client = client();
        LockRequest request = client.write("owner");
        client.step();
        ClientHold hold = hold(request);
        CompletableFuture<Long> token = new CompletableFuture<>();
        client.table.token(new LockBatch.Token(hold, token));
        client.release(request);
        client.step();
        assertThat(token).isCompletedExceptionally();
    }

    @Test
    void takesOverWhatTheSessionReallyHolds() throws SQLException {
        Client client = client();
        LockRequest held = client.write("owner");
        LockRequest gone = client.request("owner", true, Wait.FOREVER, LockKey.of(8));
        client.step();
        LockBatch behindItsBack = new LockBatch();
        behindItsBack.add(TRY_SHARED, KEY, yes -> {});
        behindItsBack.add(TRY, LockKey.of(9), yes -> {});
        behindItsBack.add(UNLOCK_SHARED, LockKey.of(8), yes -> {});
        client.link.run(behindItsBack);

        client.link.run(client.table.reconcile(client.link.found(), new Hold.Loss("behind its back", null)));

        assertThat(client.link.found()).containsExactly(new LockLink.Found(KEY, false));
        assertThat(hold(held).isHeld()).isTrue();
        assertThat(hold(gone).isLost()).isTrue();
    }
}
