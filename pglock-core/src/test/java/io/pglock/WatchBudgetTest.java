// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One statement for each look, whatever the number of guarded sessions; none while nothing is guarded. */
@Timeout(120)
class WatchBudgetTest extends PrioritizeScene {

    /** What the side connection is asked besides looking: its settings, before and after; marks, taken and taken back. */
    private static final int ONCE = 4;

    private static final Duration EVERY = Duration.ofMillis(50);

    private final AtomicInteger statements = new AtomicInteger();

    WatchBudgetTest(Scenario scenario, DataSource dataSource) {
        super(scenario, dataSource);
    }

    private DataSource counting() {
        return new HandingOut(() -> counting(Connection.class, dataSource.getConnection()));
    }

    private <T> T counting(Class<T> type, T real) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    if (method.getName().startsWith("execute")) {
                        statements.incrementAndGet();
                    }
                    try {
                        Object result = method.invoke(real, arguments);
                        return result instanceof PreparedStatement prepared
                                ? counting(PreparedStatement.class, prepared)
                                : result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 100})
    void oneStatementForEachLookHoweverManySessionsAreGuarded(int count, TestReporter report) throws SQLException {
        Session web = scenario.session("web");
        web.begin();
        web.execute("lock table orders in access share mode");
        DataSource side = counting();
        List<Connection> guarded = new ArrayList<>();
        List<PriorityScope> scopes = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                guarded.add(dataSource.getConnection());
                scopes.add(
                        PgLock.on(guarded.get(i)).prioritize(side).every(EVERY).start());
            }
            scenario.await("all are looked after", () -> marks() == count);
            int before = statements.get();
            long began = System.nanoTime();
            scenario.await("some seconds of looking", () -> statements.get() - before >= 40);
            int looks = statements.get() - before;
            Duration took = Duration.ofNanos(System.nanoTime() - began);
            report.publishEntry(
                    "statements per second with " + count + " guarded",
                    String.format(Locale.ROOT, "%.1f", looks * 1000.0 / took.toMillis()));
            assertThat(looks).isLessThanOrEqualTo((int) (took.toMillis() / EVERY.toMillis()) + 2);
        } finally {
            scopes.forEach(PriorityScope::close);
            for (Connection each : guarded) {
                each.close();
            }
        }
        int after = statements.get();
        scenario.await("the side connection is gone", () -> marks() == 0);
        assertThat(statements).hasValue(after);
    }

    private int marks() throws SQLException {
        try (var row = scenario.observer()
                .createStatement()
                .executeQuery("select count(*) from pg_locks where locktype = 'advisory' and classid = 1885826155")) {
            row.next();
            return row.getInt(1);
        }
    }

    @Test
    void aPausingUnitCostsOneStatementForEachLook() throws SQLException {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        DataSource side = counting();
        LockPolicy policy = LockPolicy.defaults()
                .lockTimeout(Duration.ofSeconds(1))
                .retryDelay(Duration.ofHours(1))
                .retryMaxDelay(Duration.ofHours(1))
                .pollInterval(EVERY)
                .monitorRequired(true);
        AtomicBoolean pausing = new AtomicBoolean();
        var unit = migration.run(connection -> {
            try (LockGuard guard = LockGuard.open(
                    "unit",
                    connection,
                    side,
                    policy,
                    (level, text) -> pausing.compareAndSet(false, text.contains("Trying again")))) {
                return guard.run(() -> connection.createStatement().execute(ALTER), LockGuard.Undo.NOTHING);
            }
        });
        scenario.await("the unit to pause", pausing::get);
        int before = statements.get();
        long began = System.nanoTime();
        scenario.await("some looks from outside", () -> statements.get() - before >= 20);
        int looks = statements.get() - before;
        Duration took = Duration.ofNanos(System.nanoTime() - began);
        assertThat(looks).isLessThanOrEqualTo((int) (took.toMillis() / EVERY.toMillis()) + 2);
        web.commit();
        unit.await();
    }

    @Test
    void aShortScopeCostsNoStatementOfItsOwn() {
        Session migration = scenario.session("migration");
        DataSource side = counting();
        IntStream.range(0, 50)
                .forEach(i -> PgLock.on(migration.connection())
                        .prioritize(side)
                        .every(Duration.ofHours(1))
                        .start()
                        .close());
        assertThat(statements).hasValue(0);
    }

    @Test
    void aScopeThatWasLookedAfterCostsTheSideConnectionFourStatementsBesidesItsLooks() {
        Session migration = scenario.session("migration");
        DataSource side = counting();
        PgLock.on(migration.connection())
                .prioritize(side)
                .every(Duration.ofHours(1))
                .requireSideConnection()
                .start()
                .close();
        assertThat(statements).hasValue(ONCE + 1);
    }

    @Test
    void oneBlockerIsTerminatedOnceForAHundredSessionsAndAllGetThrough() {
        Session web = scenario.session("web");
        web.begin();
        web.execute("select pg_advisory_xact_lock(1)");
        DataSource side = counting();
        List<PriorityScope> scopes = new ArrayList<>();
        List<Running> waiting = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            Session migration = scenario.session("migration " + i);
            scopes.add(quickly(migration, side)
                    .after(Duration.ofMillis(500))
                    .terminate()
                    .start());
            waiting.add(migration.start("select pg_advisory_lock_shared(1)", "select pg_advisory_unlock_shared(1)"));
        }
        waiting.forEach(Running::await);
        scopes.forEach(PriorityScope::close);
        scenario.awaitGone(web.pid());
        assertThat(scopes).allSatisfy(scope -> assertThat(scope.warnings()).isEmpty());
        assertThat(scopes.stream().flatMap(scope -> scope.actions().stream()).filter(Signalled::sent))
                .extracting(done -> done.backend().pid())
                .isNotEmpty()
                .containsOnly(web.pid());
    }
}
