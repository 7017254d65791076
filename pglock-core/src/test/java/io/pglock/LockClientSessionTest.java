// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.zaxxer.hikari.HikariDataSource;
import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Role;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import io.pglock.testkit.TcpProxy;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/** The one session of a client: what it looks like, where it comes from, and how it is given back. */
@PostgresTest
@Timeout(60)
class LockClientSessionTest {

    private static final LockKey KEY = LockKey.of(1);
    private static final String SETTINGS =
            "select name || '=' || setting from pg_settings where name <> 'transaction_isolation' order by name";

    private final Database database;
    private final List<Connection> handedOut = new ArrayList<>();
    private final Set<String> begun = new HashSet<>();

    LockClientSessionTest(Database database) {
        this.database = database;
    }

    /** Keeps what it hands out, for the test to look at from inside. */
    private DataSource seen(DataSource source) {
        return new HandingOut(() -> {
            Connection connection = source.getConnection();
            handedOut.add(connection);
            return connection;
        });
    }

    private String setting(String name) throws SQLException {
        return Held.setting(handedOut.get(handedOut.size() - 1), name);
    }

    @Test
    void isCalledAsTheApplicationIsOrAsItIsTold() throws SQLException {
        try (LockClient client = LockClient.create(seen(database.dataSource()))) {
            assertThat(setting("application_name")).isEqualTo("pglock");
        }
        try (LockClient client = LockClient.create(seen(database.dataSource("web")))) {
            assertThat(setting("application_name")).isEqualTo("web pglock");
        }
        try (LockClient client = LockClient.create(
                seen(database.dataSource("web")), LockClient.Options.defaults().name("orders"))) {
            assertThat(setting("application_name")).isEqualTo("orders pglock");
        }
        try (LockClient client = LockClient.create(
                seen(database.dataSource()), LockClient.Options.defaults().name("o".repeat(70)))) {
            assertThat(setting("application_name")).isEqualTo("o".repeat(56) + " pglock");
        }
    }

    /** PostgreSQL cuts it by bytes, of which it shows one as up to four; by its end a client is recognized. */
    @ParameterizedTest
    @ValueSource(strings = {"\u00e4", "\u20ac", "\ud83d\udd12"})
    void isRecognizedAlsoByALongNameThatIsNotAscii(String character, Scenario scenario) throws SQLException {
        try (LockClient client = LockClient.create(
                seen(database.dataSource()), LockClient.Options.defaults().name(character.repeat(70)))) {
            assertThat(Held.column(
                            scenario.observer(),
                            "select application_name from pg_stat_activity where pid = "
                                    + Held.column(handedOut.get(0), "select pg_backend_pid()")
                                            .get(0)))
                    .singleElement()
                    .asString()
                    .endsWith(" pglock")
                    .hasSizeGreaterThan(" pglock".length() + 10);
            assertThat(client.advisory(KEY).tryAcquire(Duration.ZERO)).hasValueSatisfying(LockHandle::close);
        }
    }

    /** As a pool hands it out after an outage that nobody has told it of. */
    @Test
    void doesNotWaitForLongForAConnectionThatIsDeadWithoutSayingSo() throws SQLException {
        try (TcpProxy proxy =
                        TcpProxy.to(database.server().host(), database.server().port());
                Threads threads = new Threads();
                Connection dead = proxy.dataSource(database).getConnection()) {
            proxy.cutSilently();

            assertThat(threads.get(() -> assertThatExceptionOfType(PgLockException.class)
                            .isThrownBy(() -> LockClient.create(
                                    new HandingOut(() -> dead),
                                    LockClient.Options.defaults().heartbeat(Duration.ofMillis(400))))
                            .withMessageStartingWith("LockClient: cannot connect: ")))
                    .isNotNull();
            assertThat(dead.isClosed()).isTrue();
        }
    }

    @Test
    void hasNothingOfWhoeverHasMadeIt() {
        InheritableThreadLocal<String> inherited = new InheritableThreadLocal<>();
        inherited.set("of a web application");
        List<Boolean> found = new CopyOnWriteArrayList<>();
        DataSource source = new HandingOut(() -> {
            found.add(inherited.get() != null);
            return database.dataSource().getConnection();
        });
        try (LockClient client = LockClient.create(source)) {
            CompletableFuture<LockHandle> lock = client.advisory(KEY).acquireAsync();
            lock.thenAcceptAsync(handle -> found.add(inherited.get() != null), client.executor())
                    .join();
            lock.join().close();
        }

        assertThat(found).containsExactly(false, false);
    }

    /** A session that waits for a lock in PostgreSQL's own queue keeps one, and the index would wait for that for ever. */
    @Test
    void whileItWaitsItKeepsNoSnapshotThatAnIndexWouldWaitFor(Scenario scenario) {
        Session holder = scenario.session("holder");
        holder.execute("create table indexed (id int)", "select pg_advisory_lock(1)");
        try (LockClient client = LockClient.create(database.dataSource("waiter"))) {
            CompletableFuture<LockHandle> waiting = client.advisory(KEY).acquireAsync();
            scenario.await("the client to ask for the lock in vain", () -> asks(scenario) > 2);

            scenario.session("builder").execute("create index concurrently on indexed (id)");

            assertThat(waiting).isNotDone();
            holder.execute("select pg_advisory_unlock(1)");
            waiting.join().close();
        }
    }

    /** How many statements the client's session has been seen to begin. */
    private int asks(Scenario scenario) {
        begun.addAll(scenario.session("clock")
                .execute("select query_start::text from pg_stat_activity where application_name = 'waiter pglock'"));
        return begun.size();
    }

    @Test
    void hasNoTimeoutsAndIsFoundDeadSoon(Scenario scenario, PostgresServer server) throws SQLException {
        Role role = scenario.role("impatient");
        for (String timeout : List.of("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")) {
            Held.execute(scenario.observer(), "alter role " + role.name() + " set " + timeout + " = '300ms'");
        }
        if (server.majorVersion() >= 14) {
            Held.execute(scenario.observer(), "alter role " + role.name() + " set idle_session_timeout = '300ms'");
        }
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setUrl(database.url());
        source.setUser(role.name());
        source.setPassword(role.password());

        try (LockClient client = LockClient.create(seen(source));
                LockHandle lock = client.advisory(KEY).acquire()) {
            for (String timeout : List.of("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")) {
                assertThat(setting(timeout)).as(timeout).isEqualTo("0");
            }
            assertThat(setting("tcp_keepalives_idle")).isEqualTo("5");
            assertThat(setting("tcp_keepalives_interval")).isEqualTo("2");
            assertThat(setting("tcp_keepalives_count")).isEqualTo("3");
            if (server.majorVersion() >= 11) {
                assertThat(setting("jit")).isEqualTo("off");
            }
            if (server.majorVersion() >= 12) {
                assertThat(setting("tcp_user_timeout")).isEqualTo("11000");
            }
            if (server.majorVersion() >= 14) {
                assertThat(setting("client_connection_check_interval")).isEqualTo("1s");
                assertThat(setting("idle_session_timeout")).isEqualTo("0");
            }
            if (server.majorVersion() >= 17) {
                assertThat(setting("transaction_timeout")).isEqualTo("0");
            }
            assertThat(lock.isHeld()).isTrue();
        }
    }

    private static HikariDataSource pool(DataSource source, int size) {
        HikariDataSource pool = new HikariDataSource();
        pool.setDataSource(source);
        pool.setMaximumPoolSize(size);
        return pool;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void takesOneConnectionOfAPoolAndGivesItBackAsItWas(boolean autoCommit) throws SQLException {
        try (HikariDataSource pool = pool(database.dataSource("web"), 1)) {
            pool.setAutoCommit(autoCommit);
            String pid;
            List<String> settings;
            try (Connection before = pool.getConnection()) {
                pid = Held.column(before, "select pg_backend_pid()").get(0);
                Held.execute(before, "set lock_timeout = '7s'");
                settings = Held.column(before, SETTINGS);
                if (!autoCommit) {
                    before.commit();
                }
            }
            try (LockClient client = LockClient.create(pool)) {
                client.advisory(KEY).acquire();
                assertThat(client.toString()).contains("pid " + pid);
                assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isEqualTo(1);
                assertThat(pool.getHikariPoolMXBean().getTotalConnections()).isEqualTo(1);
            }
            try (Connection after = pool.getConnection()) {
                assertThat(after.getAutoCommit()).isEqualTo(autoCommit);
                assertThat(after.getNetworkTimeout()).isZero();
                assertThat(Held.column(after, "select pg_backend_pid()")).containsExactly(pid);
                assertThat(Held.advisory(after)).isEmpty();
                assertThat(Held.setting(after, "application_name")).isEqualTo("web");
                assertThat(Held.column(after, SETTINGS)).isEqualTo(settings).contains("lock_timeout=7000");
                if (!autoCommit) {
                    after.rollback();
                }
            }
        }
    }

    @Test
    void aPoolDoesNotGetToHandOutWhatIsBroken(Scenario scenario) throws SQLException {
        ClientSession session = ClientSession.of(scenario, "web");
        try (HikariDataSource pool = pool(database.dataSource("web"), 1);
                LockClient client = LockClient.create(pool)) {
            LockHandle lost = client.advisory(KEY).acquire();
            String pid = session.terminate();
            scenario.await("the loss to be noticed", () -> !lost.isHeld());

            try (Connection next = pool.getConnection()) {
                assertThat(Held.column(next, "select pg_backend_pid()")).doesNotContain(pid);
            }
            client.advisory(KEY).acquire().close();
            assertThat(session.pids()).hasSize(1).doesNotContain(pid);
            assertThatExceptionOfType(LockLostException.class).isThrownBy(lost::close);
        }
    }

    @Test
    void refusesASessionThatHoldsLocksAlreadyAndTakesNothingFromIt(Connection mine) throws SQLException {
        Held.execute(mine, "select pg_advisory_lock(7)");
        mine.setNetworkTimeout(Runnable::run, 50_000);
        List<String> settings = Held.column(mine, SETTINGS);

        assertRefused(new HandingOut(() -> unclosed(mine)), "holds advisory locks already", "DataSource of its own");

        assertThat(Held.advisory(mine)).containsExactly("ExclusiveLock");
        assertThat(Held.column(mine, SETTINGS)).isEqualTo(settings);
        assertThat(mine.getNetworkTimeout()).isEqualTo(50_000);
        mine.setNetworkTimeout(Runnable::run, 0);
        Held.execute(mine, "select pg_advisory_unlock(7)");
    }

    /** The pool's own affair: it has to get it back, or it has one less. */
    @Test
    void givesBackWhatAPoolHandsOutInsideATransaction(Connection mine) throws SQLException {
        mine.setAutoCommit(false);
        Held.execute(mine, "select 1");
        AtomicInteger closed = new AtomicInteger();

        assertRefused(new HandingOut(() -> unclosed(mine, closed)), "inside a transaction", "one of its own");

        assertThat(closed).hasValue(1);
        Held.end(mine);
    }

    /** As a pool hands it out: closing it gives it back. */
    private static Connection unclosed(Connection physical) {
        return unclosed(physical, new AtomicInteger());
    }

    private static Connection unclosed(Connection physical, AtomicInteger closed) {
        return (Connection) Proxy.newProxyInstance(
                LockClientSessionTest.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                (proxy, method, args) -> {
                    if (method.getName().equals("close")) {
                        closed.incrementAndGet();
                        return null;
                    }
                    try {
                        return method.invoke(physical, args);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Test
    void leavesATransactionOfSomebodyElseAlone(Connection mine) throws SQLException {
        Held.execute(mine, "create table if not exists orders (id int)");
        mine.setAutoCommit(false);
        Held.execute(mine, "insert into orders values (1)");

        assertRefused(new HandingOut(() -> mine), "inside a transaction", "one of its own");

        assertThat(mine.isClosed()).isFalse();
        assertThat(mine.getAutoCommit()).isFalse();
        mine.commit();
        assertThat(Held.column(mine, "select id from orders")).containsExactly("1");
        Held.end(mine);
    }

    @Test
    void refusesWhatIsNotPostgres() throws SQLException {
        JdbcDataSource h2 = new JdbcDataSource();
        h2.setURL("jdbc:h2:mem:");

        assertRefused(seen(h2), "Not a PostgreSQL connection: H2");

        assertThat(handedOut)
                .singleElement()
                .satisfies(connection -> assertThat(connection.isClosed()).isTrue());
    }

    private static void assertRefused(DataSource source, String... why) {
        assertThatExceptionOfType(LockNotSupportedException.class)
                .isThrownBy(() -> LockClient.create(source))
                .satisfies(e -> assertThat(e.getMessage()).contains(why));
    }

    @Test
    void endsWithEverythingWhenItIsClosed(Scenario scenario) throws SQLException {
        ClientSession session = ClientSession.of(scenario, "web");
        scenario.session("job").execute("select pg_advisory_lock(2)");
        LockClient client = LockClient.create(database.dataSource("web"));
        AtomicInteger told = new AtomicInteger();
        LockHandle held = client.advisory(KEY).acquire().onLost(told::incrementAndGet);
        CompletableFuture<LockHandle> waiting = client.advisory(LockKey.of(2)).acquireAsync();
        scenario.await("it to wait", () -> client.toString().contains("1 waiting"));

        client.close();
        client.close();

        scenario.await("the session to be gone", () -> session.pids().isEmpty());
        scenario.await("the holder to be told", () -> told.get() == 1);
        assertThat(held.isHeld()).isFalse();
        assertThatExceptionOfType(LockLostException.class)
                .isThrownBy(held::close)
                .withMessageContaining("The LockClient was closed");
        held.close();
        assertThat(waiting)
                .failsWithin(Duration.ofSeconds(5))
                .withThrowableThat()
                .withCauseInstanceOf(IllegalStateException.class);
        assertThatIllegalStateException()
                .isThrownBy(() -> client.advisory(KEY).acquire())
                .withMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(() -> client.advisory(KEY).tryAcquire(Duration.ZERO));
        assertThat(client.toString()).contains("not connected");
    }

    @Test
    void doesNotKeepItsJvmAlive() {
        try (ForkedJvm jvm =
                ForkedJvm.running(Forgetful.class).database(database).start()) {
            jvm.awaitLine("locked");
            assertThat(jvm.exitCode()).isZero();
        }
    }

    /** Takes a lock and returns from main. */
    static final class Forgetful {
        private Forgetful() {}

        public static void main(String[] arguments) {
            PGSimpleDataSource source = new PGSimpleDataSource();
            source.setUrl(arguments[0]);
            source.setUser(arguments[1]);
            source.setPassword(arguments[2]);
            LockClient client = LockClient.create(source);
            System.out.println("locked " + client.advisory(KEY).acquire().onLost(() -> System.out.println("lost")));
        }
    }
}
