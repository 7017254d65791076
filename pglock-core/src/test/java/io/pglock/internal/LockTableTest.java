// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static io.pglock.internal.LockOp.ANNOUNCE;
import static io.pglock.internal.LockOp.TRY;
import static io.pglock.internal.LockOp.TRY_SHARED;
import static io.pglock.internal.LockOp.TRY_UNLESS_AWAITED;
import static io.pglock.internal.LockOp.UNLOCK;
import static io.pglock.internal.LockOp.UNLOCK_SHARED;
import static io.pglock.internal.LockOp.WITHDRAW;
import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockKey;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/**
 * What a client asks of its server, step by step: the table's plans are carried out on a real session, but when, and what time it
 * is, the test says.
 */
class LockTableTest extends LockTableScene {

    LockTableTest(DataSource dataSource) {
        super(dataSource);
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
