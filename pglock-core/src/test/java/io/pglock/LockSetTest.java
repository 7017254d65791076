// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.TcpProxy;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests for one key and for several, under way in the same statement. */
@PostgresTest
@Timeout(60)
class LockSetTest {

    /** The server gives a session again what it has, and so cannot tell the owners within a client apart. */
    @Test
    void whatIsAskedForAtTheSameMomentIsGrantedToOneOfThem(Database database) {
        try (TcpProxy proxy =
                        TcpProxy.to(database.server().host(), database.server().port());
                LockClient client = LockClient.create(proxy.dataSource(database))) {
            proxy.delay(Duration.ofMillis(25));
            for (int i = 0; i < 10; i++) {
                CompletableFuture<LockHandle> occupied =
                        client.advisory("occupied").acquireAsync();
                List<CompletableFuture<LockHandle>> asked = List.of(
                        client.advisory(LockKey.of(1)).acquireAsync(),
                        client.advisory(LockKey.of(1), LockKey.of(3)).acquireAsync(),
                        client.advisory(LockKey.of(1), LockKey.of(2)).acquireAsync());
                occupied.join().close();

                for (int left = 3; left > 0; left--) {
                    CompletableFuture.anyOf(asked.stream()
                                    .filter(each -> !isClosed(each))
                                    .toArray(CompletableFuture[]::new))
                            .orTimeout(10, TimeUnit.SECONDS)
                            .join();
                    assertThat(asked.stream().filter(CompletableFuture::isDone).filter(each -> !isClosed(each)))
                            .as("those who hold key 1")
                            .singleElement()
                            .satisfies(holder -> holder.join().close());
                }
            }
        }
    }

    /** What takes longer than half of the heartbeat would cost the client its session. */
    @Test
    void thousandsAtOnceAreOneShortStatement(DataSource dataSource) {
        LockKey[] keys = IntStream.range(0, 5_000)
                .mapToObj(i -> i % 2 == 0 ? LockKey.of(i) : LockKey.of(-7, i))
                .toArray(LockKey[]::new);
        LockClient.Options options =
                LockClient.Options.defaults().maxLocks(10_000).heartbeat(Duration.ofSeconds(6));
        try (LockClient client = LockClient.create(dataSource, options);
                LockClient other = LockClient.create(dataSource, options)) {
            LockHandle last = other.advisory(LockKey.of(-7, 4_999)).acquire();
            assertThat(client.advisory(last.key(), keys).tryAcquire(Duration.ZERO))
                    .isEmpty();
            assertThat(other.acquireAll(Arrays.copyOf(keys, 4_999))).satisfies(LockHandle::close);
            last.close();

            try (LockHandle all = client.acquireAll(keys)) {
                assertThat(all.isHeld()).isTrue();
                assertThat(other.advisory(LockKey.of(-7, 4_999)).tryAcquire(Duration.ZERO))
                        .isEmpty();
            }
            other.acquireAll(keys).close();
        }
    }

    private static boolean isClosed(CompletableFuture<LockHandle> each) {
        return each.isDone() && !each.join().isHeld();
    }
}
