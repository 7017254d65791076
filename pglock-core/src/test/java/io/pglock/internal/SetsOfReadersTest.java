// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static io.pglock.internal.LockOp.IS_AWAITED;
import static io.pglock.internal.LockOp.TRY;
import static io.pglock.internal.LockOp.UNLOCK_SHARED;
import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockKey;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/**
 * What a client asks of its server so that requests for several keys share them with others who read, and are in no writer's way:
 * step by step, as in {@link LockTableTest}.
 */
class SetsOfReadersTest extends LockTableScene {

    private static final LockKey SECOND = LockKey.of(2);
    private static final LockKey THIRD = LockKey.of(3);

    SetsOfReadersTest(DataSource dataSource) {
        super(dataSource);
    }

    private static LockRequest tries(Client client, Object owner, LockKey... keys) {
        return client.request(owner, true, NOT_AT_ALL, keys);
    }

    private static LockRequest waits(Client client, Object owner, LockKey... keys) {
        return client.request(owner, true, Wait.FOREVER, keys);
    }

    private static void isHeldInSharedMode(Client client, LockKey... keys) throws SQLException {
        assertThat(client.link.found())
                .allMatch(LockLink.Found::shared)
                .extracting(LockLink.Found::key)
                .containsExactlyInAnyOrder(keys);
    }

    private static boolean isSentAway(LockRequest request) {
        return request.outcome().getNow(null) instanceof LockRequest.Outcome.NotAcquired;
    }

    @Test
    void joinWhoeverReadsAndTakeWhatNobodyReadsYet() throws SQLException {
        Client client = client();
        LockRequest reader = client.read("reader");
        client.step();
        LockRequest set = tries(client, "set", KEY, SECOND);
        LockRequest another = tries(client, "another", SECOND, THIRD, KEY);
        client.step();

        assertThat(isGranted(set)).isTrue();
        assertThat(isGranted(another)).isTrue();
        isHeldInSharedMode(client, KEY, SECOND, THIRD);
        client.release(set);
        client.release(reader);
        client.settle();
        isHeldInSharedMode(client, KEY, SECOND, THIRD);
        client.release(another);
        client.settle();
        assertThat(client.link.found()).isEmpty();
        assertThat(client.table.queues()).isEmpty();
    }

    @Test
    void needNothingOfTheServerForWhatIsReadAlready() throws SQLException {
        Client client = client();
        waits(client, "one", KEY, SECOND);
        client.step();
        LockRequest set = tries(client, "set", KEY, SECOND);

        client.step();

        assertThat(client.idle).isTrue();
        assertThat(isGranted(set)).isTrue();
    }

    @Test
    void joinWhoeverHasBeenReadingForLongWhenNoWriterWaits() throws SQLException {
        Client client = client();
        client.read("reader");
        waits(client, "one", SECOND, THIRD);
        client.step();
        for (int i = 0; i < 10; i++) {
            client.later(Duration.ofSeconds(1));
            LockRequest single = client.read("single " + i);
            LockRequest set = tries(client, "set " + i, KEY, SECOND);
            LockRequest taking = tries(client, "taking " + i, KEY, LockKey.of(100 + i));

            assertThat(client.step()).as("each is asked for once").containsExactly(IS_AWAITED, IS_AWAITED);

            assertThat(isGranted(single)).isTrue();
            assertThat(isGranted(set)).isTrue();
            assertThat(isGranted(taking)).isTrue();
        }
    }

    @Test
    void joinAWriterThatHasDowngraded() throws SQLException {
        Client client = client();
        LockRequest writer = client.write("owner");
        client.step();
        LockRequest reader = client.read("owner");
        LockRequest early = tries(client, "early", KEY, SECOND);
        client.step();
        assertThat(isSentAway(early)).isTrue();

        client.release(writer);
        LockRequest set = tries(client, "set", KEY, SECOND);
        client.step();
        assertThat(isGranted(set)).isTrue();
        client.release(reader);
        client.settle();
        isHeldInSharedMode(client, KEY, SECOND);
        client.release(set);
        client.settle();
        assertThat(client.link.found()).isEmpty();
    }

    @Test
    void doNotOvertakeAWriterOfTheirClient() throws SQLException {
        Client client = client();
        LockRequest reader = client.read("reader");
        client.step();
        LockRequest writer = client.write("writer");
        LockRequest hasty = tries(client, "hasty", KEY, SECOND);
        LockRequest set = waits(client, "set", KEY, SECOND);
        client.step();
        assertThat(isSentAway(hasty)).isTrue();
        assertThat(isGranted(set)).isFalse();

        client.release(reader);
        assertThat(client.step()).containsExactly(UNLOCK_SHARED, TRY);
        assertThat(isGranted(writer)).isTrue();

        client.release(writer);
        client.settle();
        assertThat(isGranted(set)).isTrue();
    }

    /** They would hold it one after the other, each for so long that it is time for somebody else. */
    @Test
    void letAWriterOfTheirClientHaveItAfterATurnOfTheirs() throws SQLException {
        Client client = client();
        LockRequest first = waits(client, "first", KEY, SECOND);
        client.step();
        LockRequest writer = client.write("writer");
        LockRequest second = waits(client, "second", KEY, SECOND);
        client.step();
        client.later(Duration.ofMillis(60));

        client.release(first);
        client.settle();

        assertThat(isGranted(writer)).isTrue();
        assertThat(isGranted(second)).isFalse();
        client.later(Duration.ofMillis(60));
        client.release(writer);
        client.settle();
        assertThat(isGranted(second)).isTrue();
    }

    @Test
    void letAWriterOfAnotherClientHaveIt() throws SQLException {
        Client client = client();
        Client other = client();
        LockRequest first = waits(client, "first", KEY, SECOND);
        client.step();
        LockRequest writer = other.write("writer");
        other.step();
        other.later(Duration.ofMillis(10));
        other.step();
        LockRequest soon = tries(client, "soon", KEY, SECOND, THIRD);
        client.step();
        assertThat(isGranted(soon)).isTrue();

        client.later(Duration.ofMillis(50));
        LockRequest hasty = tries(client, "hasty", KEY, THIRD);
        LockRequest late = waits(client, "late", KEY, SECOND);
        assertThat(client.step()).contains(IS_AWAITED);
        assertThat(isSentAway(hasty)).isTrue();
        assertThat(isGranted(late)).isFalse();
        client.release(first);
        client.release(soon);
        client.settle();
        LockRequest afterwards = tries(client, "afterwards", KEY, THIRD);
        client.settle();

        assertThat(isGranted(late)).as("it is left to whoever waits elsewhere").isFalse();
        assertThat(afterwards.isDone()).isFalse();
        other.later(Duration.ofMillis(50));
        other.step();
        assertThat(isGranted(writer)).isTrue();
        client.later(Duration.ofMillis(100));
        client.settle();
        assertThat(isSentAway(afterwards)).isTrue();
        other.release(writer);
        other.settle();
        client.later(Duration.ofMillis(100));
        client.settle();
        assertThat(isGranted(late)).isTrue();
    }

    @Test
    void letARequestForAllOfThemHaveThem() throws SQLException {
        Client client = client();
        LockRequest reader = client.read("reader");
        client.step();
        LockRequest all = client.request("all", false, Wait.FOREVER, KEY, SECOND);
        client.settle();
        client.later(Duration.ofMillis(60));
        LockRequest late = waits(client, "late", KEY, THIRD);
        client.settle();
        assertThat(isGranted(late)).isFalse();

        client.release(reader);
        client.settle();

        assertThat(isGranted(all)).isTrue();
        assertThat(isGranted(late)).isFalse();
        client.release(all);
        client.settle();
        client.later(Duration.ofMillis(100));
        client.settle();
        assertThat(isGranted(late)).isTrue();
    }

    /** Those who want one key and those who want several have it by turns, and the oldest of these comes first. */
    @Test
    void letARequestForAllOfThemHaveThemWhereOthersJoinThoseWhoWantOneKey() throws SQLException {
        Client client = client();
        LockRequest reader = client.read("reader");
        client.step();
        LockRequest all = client.request("all", false, Wait.FOREVER, KEY, SECOND);
        client.settle();
        LockRequest joining = tries(client, "joining", KEY, THIRD);
        client.settle();
        assertThat(isGranted(joining)).isTrue();
        client.later(Duration.ofMillis(60));
        LockRequest next = client.read("next");
        LockRequest late = waits(client, "late", KEY, THIRD);
        client.settle();
        assertThat(isGranted(next)).isFalse();

        client.release(reader);
        client.release(joining);
        client.settle();

        assertThat(isGranted(all)).isTrue();
        assertThat(isGranted(next)).isFalse();
        assertThat(isGranted(late)).isFalse();
    }

    /** It can join them whenever the others are to be had. */
    @Test
    void doNotKeepReadersOutOfWhatTheyCannotHaveYet() throws SQLException {
        Client client = client();
        Client other = client();
        LockRequest elsewhere = other.request("other", false, Wait.FOREVER, SECOND);
        other.step();
        client.read("reader");
        client.step();
        LockRequest set = waits(client, "set", KEY, SECOND);
        client.settle();
        for (int i = 0; i < 10; i++) {
            client.later(Duration.ofMillis(200));
            LockRequest next = tries(client, "reader " + i, KEY);
            client.settle();
            assertThat(isGranted(next)).isTrue();
        }
        assertThat(isGranted(set)).isFalse();

        other.release(elsewhere);
        other.settle();
        client.later(Duration.ofMillis(60));
        client.settle();
        assertThat(isGranted(set)).isTrue();
    }

    @Test
    void areLostWithThoseWhomTheyHaveJoined() throws SQLException {
        Client client = client();
        LockRequest reader = client.read("reader");
        client.step();
        LockRequest set = tries(client, "set", KEY, SECOND);
        client.step();

        client.table.lost(new Hold.Loss("the session is gone", null));

        assertThat(hold(reader).isLost()).isTrue();
        assertThat(hold(set).isLost()).isTrue();
    }

    /** Else it would be asked again for as long as that lasts, without a pause. */
    @Test
    void failWithTheStatementInWhichItWasAskedWhetherTheyMayComeIn() throws SQLException {
        Client client = client();
        client.read("reader");
        client.step();
        client.later(Duration.ofMillis(60));
        LockRequest set = waits(client, "set", KEY, SECOND);
        client.table.at(client.now);

        LockBatch asking = client.table.plan();

        assertThat(asking.entries()).extracting(LockBatch.Entry::op).containsExactly(IS_AWAITED);
        assertThat(asking.failedSeveral())
                .extracting(LockBatch.Several::request)
                .containsExactly(set);
    }
}
