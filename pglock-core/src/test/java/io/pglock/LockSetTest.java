// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.TcpProxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
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

    private static boolean isClosed(CompletableFuture<LockHandle> each) {
        return each.isDone() && !each.join().isHeld();
    }
}
