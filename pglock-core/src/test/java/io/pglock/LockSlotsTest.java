// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A server whose lock table is full (53200), in the middle of a statement that does much at once: who gets what, and that the
 * session holds what its handles say and nothing else.
 */
@PostgresTest
@Timeout(120)
class LockSlotsTest {

    private static PostgresServer server;
    private static Database database;

    private final ExecutorService threads = Executors.newFixedThreadPool(16);
    private final Connection looking = database.connect();
    private final ClientSession session = new ClientSession(looking, "shop pglock");
    private final LockClient client = LockClient.create(
            database.dataSource(), LockClient.Options.defaults().name("shop").maxLocks(100_000));

    @BeforeAll
    static void startASmallServer() {
        // before PostgreSQL 12 walsenders are taken out of max_connections
        server = PostgresServer.startEmbedded(
                Map.of("max_locks_per_transaction", "10", "max_connections", "10", "max_wal_senders", "0"));
        database = server.createDatabase();
    }

    @AfterAll
    static void stopIt() {
        database.close();
        server.close();
    }

    @AfterEach
    void close() throws SQLException {
        threads.shutdownNow();
        client.close();
        looking.close();
    }

    private static List<String> keys(Collection<LockHandle> handles) {
        return handles.stream()
                .flatMap(handle -> handle.keys().stream())
                .map(key -> Long.toString(key.number()))
                .sorted()
                .toList();
    }

    private List<String> locks() throws SQLException {
        return session.locks().stream().sorted().toList();
    }

    private List<CompletableFuture<LockHandle>> ask(int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(i -> client.advisory(LockKey.of(i)).acquireAsync())
                .toList();
    }

    /** What came of them: handles, and failures that all say what to do. */
    private static List<LockHandle> granted(List<CompletableFuture<LockHandle>> asked) {
        List<LockHandle> granted = new ArrayList<>();
        List<Throwable> refused = new ArrayList<>();
        for (CompletableFuture<LockHandle> each : asked) {
            try {
                granted.add(each.orTimeout(30, TimeUnit.SECONDS).join());
            } catch (CompletionException e) {
                refused.add(e.getCause());
            }
        }
        assertThat(refused)
                .isNotEmpty()
                .allSatisfy(failure -> assertThat(failure)
                        .isExactlyInstanceOf(PgLockException.class)
                        .hasMessageContaining("out of shared memory")
                        .hasMessageContaining("max_locks_per_transaction (10) times max_connections"));
        return granted;
    }

    @Test
    void whatDoesNotFitIsRefusedAndWhatWasHeldIsHeld(Scenario scenario) throws SQLException {
        List<LockHandle> before =
                ask(0, 200).stream().map(CompletableFuture::join).toList();
        String pid = session.pid();

        List<LockHandle> granted = granted(ask(1_000, 9_000));

        assertThat(session.pid()).isEqualTo(pid);
        assertThat(before).allMatch(LockHandle::isHeld);
        List<LockHandle> all = Stream.concat(before.stream(), granted.stream()).toList();
        scenario.await("the session to hold what its handles say", () -> locks().equals(keys(all)));
        all.forEach(LockHandle::close);
        assertThat(locks()).isEmpty();
        client.advisory("still works").acquire().close();
    }

    @Test
    void releasesInTheSameStatementAreDoneOnce(Scenario scenario) throws SQLException {
        for (int round = 0; round < 5; round++) {
            List<LockHandle> before =
                    ask(0, 300).stream().map(CompletableFuture::join).toList();
            List<LockHandle> kept = before.subList(0, 100);
            List<LockHandle> released = before.subList(100, 300);

            CompletableFuture<?>[] releasing = released.stream()
                    .map(handle -> CompletableFuture.runAsync(handle::close, threads))
                    .toArray(CompletableFuture[]::new);
            List<LockHandle> granted = granted(ask(1_000, 9_000));
            CompletableFuture.allOf(releasing).orTimeout(30, TimeUnit.SECONDS).join();

            assertThat(kept).allMatch(LockHandle::isHeld);
            List<LockHandle> all =
                    Stream.concat(kept.stream(), granted.stream()).toList();
            scenario.await("the session to hold what its handles say", () -> locks().equals(keys(all)));
            all.forEach(LockHandle::close);
            assertThat(locks()).isEmpty();
        }
    }

    @Test
    void severalAtOnceAreAllOrNothing(Scenario scenario) throws SQLException {
        LockHandle held = client.advisory("held").acquire();
        LockKey[] tooMany = IntStream.range(0, 5_000).mapToObj(LockKey::of).toArray(LockKey[]::new);

        granted(List.of(CompletableFuture.supplyAsync(() -> client.acquireAll(tooMany), threads)));

        scenario.await("nothing of it to be held", () -> locks().equals(keys(List.of(held))));
        LockHandle fewer = client.acquireAll(Arrays.copyOf(tooMany, 100));
        assertThat(locks()).hasSize(101);
        fewer.close();
        held.close();
        assertThat(locks()).isEmpty();
    }

    /** However often the server says no: that is no reason to give up what it has granted. */
    @Test
    void whoAsksAgainAndAgainTakesNothingFromOthers() throws SQLException {
        List<LockHandle> held = granted(ask(0, 8_000));
        String pid = session.pid();
        List<LockHandle> more = new ArrayList<>();
        int refused = 0;
        for (int i = 10_000; refused < 30; i++) {
            try {
                more.add(client.advisory(LockKey.of(i)).acquire());
            } catch (PgLockException e) {
                refused++;
            }
        }

        assertThat(session.pid()).isEqualTo(pid);
        assertThat(held).allMatch(LockHandle::isHeld);
        held.forEach(LockHandle::close);
        more.forEach(LockHandle::close);
        assertThat(locks()).isEmpty();
    }
}
