// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client does about a connection that fails, or that cannot be had. */
@PostgresTest
@Timeout(120)
class LockReconnectTest {

    private static final LockClient.Options SHOP = LockClient.Options.defaults().name("shop");
    private static final LockKey KEY = LockKey.of(1);

    private final DataSource dataSource;
    private final Scenario scenario;
    private final ClientSession session;

    LockReconnectTest(DataSource dataSource, Scenario scenario) {
        this.dataSource = dataSource;
        this.scenario = scenario;
        this.session = ClientSession.of(scenario, "shop");
    }

    /** A heartbeat this short has the client ask all the time, also when nobody wants anything. */
    @ParameterizedTest
    @ValueSource(longs = {2_000, 10_000})
    void somebodyWhoCancelsItsStatementsTakesNothingFromIt(long heartbeat) throws SQLException {
        AtomicBoolean isOver = new AtomicBoolean();
        try (LockClient client = LockClient.create(dataSource, SHOP.heartbeat(Duration.ofMillis(heartbeat)))) {
            LockHandle held = client.advisory("held").acquire();
            AtomicInteger told = new AtomicInteger();
            held.onLost(told::incrementAndGet);
            String pid = session.pid();
            Thread cancelling = new Thread(() -> cancelUntil(isOver), "cancelling");
            cancelling.start();
            try {
                List<LockHandle> several = new ArrayList<>();
                for (int i = 0; i < 1_000; i++) {
                    try (LockHandle one = client.advisory(KEY).acquire();
                            LockHandle both = client.acquireAll(LockKey.of(2), LockKey.of(3))) {
                        assertThat(one.isHeld() && both.isHeld()).isTrue();
                        if (i % 10 == 0) {
                            several.add(client.advisory(LockKey.of(100 + i)).acquire());
                            assertThat(one.fencingToken()).isPositive();
                        }
                    }
                }
                several.forEach(LockHandle::close);
            } finally {
                isOver.set(true);
                join(cancelling);
            }
            assertThat(session.pid()).isEqualTo(pid);
            assertThat(session.locks()).containsExactly(Long.toString(held.key().number()));
            held.close();
            assertThat(session.locks()).isEmpty();
            assertThat(told).hasValue(0);
        }
    }

    private void cancelUntil(AtomicBoolean isOver) {
        try (Connection own = dataSource.getConnection()) {
            ClientSession seen = new ClientSession(own, session.name());
            while (!isOver.get()) {
                seen.cancel();
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join(10_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A source that can be told to fail. */
    private final class Source {
        private final List<Long> attempts = new CopyOnWriteArrayList<>();
        private volatile Supplier<SQLException> failure = () -> new SQLException("none");
        private volatile boolean fails;

        DataSource dataSource() {
            return new HandingOut(() -> {
                attempts.add(System.nanoTime());
                if (fails) {
                    throw failure.get();
                }
                return dataSource.getConnection();
            });
        }

        void failWith(String message, String sqlState) {
            failure = () -> new SQLException(message, sqlState);
            fails = true;
        }
    }

    @Test
    void triesAgainLessAndLessOftenAndOnlyForThoseWhoWait() throws SQLException {
        Source source = new Source();
        try (LockClient client = LockClient.create(source.dataSource(), SHOP)) {
            LockHandle held = client.advisory(KEY).acquire();
            assertThat(source.attempts).hasSize(1);
            source.failWith("connection refused", "08001");
            session.terminate();
            scenario.await("the loss to be noticed", () -> !held.isHeld());
            assertThat(client.toString()).contains("not connected");
            assertThat(source.attempts).as("nobody waits").hasSize(1);

            CompletableFuture<LockHandle> waiting = client.advisory(KEY).acquireAsync();
            scenario.await("six attempts more", () -> source.attempts.size() >= 7);
            assertThat(waiting).isNotDone();
            long least = 25;
            for (int i = 2; i < 7; i++) {
                long pause = TimeUnit.NANOSECONDS.toMillis(source.attempts.get(i) - source.attempts.get(i - 1));
                assertThat(pause).as("pause before attempt " + i).isGreaterThanOrEqualTo(least);
                least *= 2;
            }
            source.fails = false;
            scenario.await("the lock to be acquired", waiting::isDone);
            waiting.join().close();
            assertThat(source.attempts).hasSizeLessThan(10);
            assertThatExceptionOfType(LockLostException.class).isThrownBy(held::close);
        }
    }

    @Test
    void aSessionThatIsKilledAgainAndAgainIsNotOpenedAllTheTime() throws SQLException {
        Source source = new Source();
        try (LockClient client = LockClient.create(source.dataSource(), SHOP)) {
            long begun = System.nanoTime();
            while (source.attempts.size() < 6) {
                LockHandle held = client.advisory(KEY).acquire();
                session.terminate();
                scenario.await("the loss to be noticed", () -> !held.isHeld());
            }
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThan(Duration.ofMillis(25 + 50 + 100));
        }
    }

    /** As a pool does while the database is gone, for 30 s or for ever; some of them do not hear an interrupt. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void isClosedAlsoWhileTheDataSourceHangs(boolean interruptibly) throws Exception {
        AtomicInteger asked = new AtomicInteger();
        CountDownLatch hanging = new CountDownLatch(1);
        CountDownLatch goesOn = new CountDownLatch(1);
        List<Connection> late = new CopyOnWriteArrayList<>();
        DataSource source = new HandingOut(() -> {
            if (asked.incrementAndGet() == 1) {
                return dataSource.getConnection();
            }
            hanging.countDown();
            hang(goesOn, interruptibly);
            late.add(dataSource.getConnection());
            return late.get(0);
        });
        try (Threads threads = new Threads()) {
            LockClient client = LockClient.create(source, SHOP);
            LockHandle held = client.advisory(KEY).acquire();
            String name = client.toString().replaceFirst(",.*", "");
            session.terminate();
            scenario.await("the loss to be noticed", () -> !held.isHeld());
            Threads.Going<String> waiting = threads.start(() -> {
                try (LockHandle lock = client.advisory(KEY).acquire()) {
                    return "acquired " + lock;
                } catch (IllegalStateException e) {
                    return String.valueOf(e.getMessage());
                }
            });
            assertThat(hanging.await(60, TimeUnit.SECONDS)).isTrue();

            Threads.Going<String> closing = threads.start(() -> {
                client.close();
                client.close();
                return client.toString();
            });
            assertThat(closing.get(10, TimeUnit.SECONDS)).contains(name + ", not connected", " 0 waiting");
            assertThat(waiting.get(10, TimeUnit.SECONDS)).isEqualTo("The LockClient is closed.");
            assertThat(isThere(name))
                    .as("it is waited for until it has heard the interrupt")
                    .isEqualTo(!interruptibly);
            goesOn.countDown();

            scenario.await("the client's thread to end", () -> !isThere(name));
            assertThat(late).hasSize(interruptibly ? 0 : 1);
            for (Connection connection : late) {
                assertThat(connection.isClosed()).isTrue();
            }
            scenario.await("no session to be left", () -> session.pids().isEmpty());
            assertThatExceptionOfType(LockLostException.class).isThrownBy(held::close);
        } finally {
            goesOn.countDown();
        }
    }

    private static void hang(CountDownLatch goesOn, boolean interruptibly) throws SQLException {
        boolean over = false;
        while (!over) {
            try {
                over = goesOn.await(60, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                if (interruptibly) {
                    throw new SQLException("Interrupted during connection acquisition", e);
                }
            }
        }
    }

    private static boolean isThere(String threadName) {
        return Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getName().equals(threadName));
    }

    @Test
    void whoWaitsWithATimeoutIsToldThatThereIsNoConnection() throws SQLException {
        Source source = new Source();
        try (LockClient client = LockClient.create(source.dataSource(), SHOP)) {
            LockHandle held = client.advisory(KEY).acquire();
            source.failWith("connection refused", "08001");
            session.terminate();
            scenario.await("the loss to be noticed", () -> !held.isHeld());

            assertThatExceptionOfType(LockTimeoutException.class)
                    .isThrownBy(() -> client.advisory("report")
                            .timeout(Duration.ofMillis(200))
                            .acquire())
                    .withMessageContaining("report (")
                    .withMessageContaining("not acquired within 200ms")
                    .withMessageContaining("the client is not connected");
            assertThatExceptionOfType(LockLostException.class).isThrownBy(held::close);
        }
    }

    @Test
    void aDatabaseThatWasDroppedFailsThoseWhoWait() throws SQLException {
        Database dropped = PostgresServer.shared().createDatabase();
        try (LockClient client = LockClient.create(dropped.dataSource())) {
            LockHandle held = client.advisory(KEY).acquire();
            CompletableFuture<LockHandle> waiting = client.advisory(KEY).acquireAsync();
            dropped.drop();

            assertFails(waiting, "cannot connect: FATAL: database \"" + dropped.name() + "\" does not exist");
            assertThatExceptionOfType(PgLockException.class)
                    .isThrownBy(() -> client.acquireAll(KEY, LockKey.of(2)))
                    .withMessageContaining("does not exist");
            assertThatExceptionOfType(LockLostException.class).isThrownBy(held::close);
        }
    }

    /** Where a password changes it is the same: the server says no, and will say so again. */
    @Test
    void aRoleThatMayNotLogInAnyMoreFailsThoseWhoWaitUntilItMayAgain() throws SQLException {
        try (PostgresServer server = PostgresServer.startEmbedded(Map.of());
                Database database = server.createDatabase();
                Connection admin = database.connect()) {
            Held.execute(admin, "create role shop login");
            org.postgresql.ds.PGSimpleDataSource asShop = new org.postgresql.ds.PGSimpleDataSource();
            asShop.setUrl(database.url());
            asShop.setUser("shop");
            try (LockClient client = LockClient.create(asShop, SHOP)) {
                LockHandle held = client.advisory(KEY).acquire();
                CompletableFuture<LockHandle> waiting = client.advisory(KEY).acquireAsync();
                Held.execute(admin, "alter role shop nologin");
                new ClientSession(admin, session.name()).terminate();

                assertFails(waiting, "cannot connect: FATAL: role \"shop\" is not permitted to log in");
                Held.execute(admin, "alter role shop login");
                client.advisory(KEY).acquire().close();
                assertThatExceptionOfType(LockLostException.class).isThrownBy(held::close);
            }
        }
    }

    private static void assertFails(CompletableFuture<LockHandle> waiting, String message) {
        assertThat(waiting)
                .failsWithin(Duration.ofSeconds(60))
                .withThrowableOfType(ExecutionException.class)
                .havingCause()
                .isInstanceOf(PgLockException.class)
                .withMessageContaining(message);
    }

    @Test
    void aPasswordThatIsWrongFromTheBeginningIsSaidByCreate() {
        Source source = new Source();
        source.failWith("FATAL: password authentication failed for user \"shop\"", "28P01");

        assertThatExceptionOfType(PgLockException.class)
                .isThrownBy(() -> LockClient.create(source.dataSource(), SHOP))
                .withMessage("LockClient: cannot connect: FATAL: password authentication failed for user \"shop\"")
                .withCauseInstanceOf(SQLException.class);
        assertThat(source.attempts).hasSize(1);
    }
}
