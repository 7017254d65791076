// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.internal.NoThreads;
import io.pglock.testkit.LiveThreads;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What starts a watch when its first look is due: it costs next to nothing, misses nobody and leaves nothing behind. */
@Timeout(120)
class WatchAlarmTest extends PrioritizeScene {

    private final Queue<Connection> lent = new ConcurrentLinkedQueue<>();

    WatchAlarmTest(Scenario scenario, DataSource dataSource) {
        super(scenario, dataSource);
    }

    private DataSource lending() {
        return new HandingOut(() -> {
            Connection connection = dataSource.getConnection();
            lent.add(connection);
            return connection;
        });
    }

    /** Scopes on a session that waits can be opened only if pglock has seen its connection before. */
    private Running altering(Session migration, Session web) {
        quickly(migration).every(Duration.ofHours(1)).start().close();
        Running altering = migration.start(ALTER);
        scenario.awaitBlockedBy(migration, web);
        return altering;
    }

    private void awaitNoThread() {
        scenario.await(
                "the alarm and every watch to end",
                () -> LiveThreads.named("pglock").isEmpty());
    }

    @Test
    void scopesThatAreOverBeforeTheirFirstLookShareOneThreadAndNeedNoConnection() {
        Session migration = scenario.session("migration");
        DataSource side = lending();
        for (int i = 0; i < 200; i++) {
            try (PriorityScope scope =
                    quickly(migration, side).every(Duration.ofSeconds(30)).start()) {
                assertThat(LiveThreads.named("pglock-watch")).isEmpty();
                assertThat(LiveThreads.named("pglock-alarm")).hasSizeLessThanOrEqualTo(1);
                assertThat(scope.warnings()).isEmpty();
            }
        }
        awaitNoThread();
        assertThat(lent).isEmpty();
    }

    /** An alarm that slept until then would keep its class loader alive for that long. */
    @Test
    void endsSoonAfterTheLastScopeHoweverLateItsFirstLookWouldHaveBeen() {
        Session migration = scenario.session("migration");
        PriorityScope scope =
                quickly(migration, lending()).every(Duration.ofHours(1)).start();
        scenario.await("the alarm", () -> LiveThreads.named("pglock-alarm").size() == 1);
        scope.close();
        awaitNoThread();
    }

    @Test
    void aLookThatIsDueSoonerIsNotKeptWaitingByALaterOne() {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        DataSource side = lending();
        Running altering = altering(migration, web);
        try (PriorityScope elsewhere = quickly(scenario.session("elsewhere"), lending())
                        .every(Duration.ofHours(1))
                        .start();
                PriorityScope late = quickly(scenario.session("late"), side)
                        .every(Duration.ofHours(1))
                        .start();
                PriorityScope scope = quickly(migration, side).start()) {
            scenario.await("the blocker is seen", () -> seen(scope, web).isPresent());
            assertThat(late.warnings()).isEmpty();
            assertThat(elsewhere.warnings()).isEmpty();
        }
        assertThat(LiveThreads.named("pglock-watch")).isEmpty();
        assertThat(lent)
                .hasSize(1)
                .allSatisfy(connection -> assertThat(connection.isClosed()).isTrue());
        web.commit();
        altering.await();
    }

    /** Begun while the alarm ends, or has just ended: whoever it overlooked would never be looked after. */
    @Test
    void missesNoScopeThatBeginsWhileTheAlarmGoesToSleep() {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        Session clock = scenario.session("clock");
        Running altering = altering(migration, web);
        for (int i = 0; i < 20; i++) {
            quickly(migration).every(Duration.ofHours(1)).start().close();
            if (i % 2 == 0) {
                clock.execute("select pg_sleep(0." + ThreadLocalRandom.current().nextInt(95, 220) + ")");
            } else {
                LiveThreads.named("pglock-alarm").forEach(WatchAlarmTest::spinUntilDead);
            }
            try (PriorityScope scope = quickly(migration).start()) {
                scenario.await("the blocker is seen", () -> seen(scope, web).isPresent());
            }
        }
        web.commit();
        altering.await();
    }

    private static void spinUntilDead(Thread alarm) {
        while (alarm.isAlive()) {
            Thread.onSpinWait();
        }
    }

    /** Each scope lasts about as long as until its first look, so that every step meets every other one. */
    @Test
    void hundredsOfScopesOnOneDataSourceAndOnManyAllComeToTheirEnd() throws Exception {
        int workers = 8;
        DataSource shared = lending();
        CyclicBarrier together = new CyclicBarrier(workers);
        ExecutorService pool = Executors.newFixedThreadPool(workers);
        try {
            List<Future<Integer>> all = new ArrayList<>();
            for (int worker = 0; worker < workers; worker++) {
                DataSource own = lending();
                Session migration = scenario.session("migration " + worker);
                Callable<Integer> work = () -> {
                    together.await();
                    int warnings = 0;
                    for (int i = 0; i < 60; i++) {
                        PriorityScope scope = quickly(migration, i % 3 == 0 ? own : shared)
                                .every(Duration.ofMillis(1 + i % 4))
                                .start();
                        migration.execute(i % 5 == 0 ? "select pg_sleep(0.003)" : "select 1");
                        scope.close();
                        warnings += scope.warnings().size();
                    }
                    return warnings;
                };
                all.add(pool.submit(work));
            }
            for (Future<Integer> warnings : all) {
                assertThat(warnings.get(100, TimeUnit.SECONDS)).isZero();
            }
        } finally {
            pool.shutdownNow();
        }
        awaitNoThread();
        assertThat(lent)
                .allSatisfy(connection -> assertThat(connection.isClosed()).isTrue());
    }

    /** As whatever ends the threads of an undeployed application does. */
    @Test
    void anInterruptOfTheAlarmBlindsNobody() {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        Running altering = altering(migration, web);
        try (PriorityScope scope =
                quickly(migration).every(Duration.ofMillis(300)).start()) {
            LiveThreads.named("pglock-alarm").forEach(Thread::interrupt);
            scenario.await("the blocker is seen", () -> seen(scope, web).isPresent());
            assertThat(scope.warnings()).isEmpty();
        }
        web.commit();
        altering.await();
        awaitNoThread();
    }

    @Test
    void whereThereIsNoThreadTheWorkGoesOnUnwatchedWithOneWarning(Connection mine) throws SQLException {
        awaitNoThread();
        List<String> said = new CopyOnWriteArrayList<>();
        LockPolicy policy = LockPolicy.defaults();
        try (NoThreads none = NoThreads.named("pglock-");
                LockGuard guard = LockGuard.open("unit", mine, lending(), policy, (level, text) -> said.add(text))) {
            assertThat(Held.setting(mine, "lock_timeout")).isEqualTo("2s");
            assertThat(guard.run(() -> "done", LockGuard.Undo.NOTHING)).isEqualTo("done");
        }
        assertThat(Held.setting(mine, "lock_timeout")).isEqualTo("0");
        assertThat(said)
                .singleElement()
                .asString()
                .startsWith("unit: Whoever blocks pid ")
                .endsWith(
                        " is not seen: no thread to be had: unable to create native thread. The work itself goes on.");
    }

    @Test
    void whereThereIsNoThreadAndAWatchIsRequiredNothingBeginsAndTheSettingsAreBack(Connection mine)
            throws SQLException {
        awaitNoThread();
        LockPolicy policy = LockPolicy.defaults().monitorRequired(true);
        try (NoThreads none = NoThreads.named("pglock-")) {
            assertThatThrownBy(() -> LockGuard.open("unit", mine, lending(), policy, (level, text) -> {}))
                    .isInstanceOf(PgLockException.class)
                    .hasMessageStartingWith("unit: not begun, because monitorRequired=true and nobody can watch: ")
                    .hasMessageEndingWith("no thread to be had: unable to create native thread.");
        }
        assertThat(Held.setting(mine, "lock_timeout")).isEqualTo("0");
    }

    @Test
    void aWatchForWhichThereIsNoThreadIsToldAndBegunAsSoonAsThereIs() {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        Running altering = altering(migration, web);
        PriorityScope scope;
        try (NoThreads none = NoThreads.named("pglock-watch")) {
            scope = quickly(migration).start();
            scenario.await("a warning", () -> !scope.warnings().isEmpty());
            assertThat(LiveThreads.named("pglock-alarm")).hasSize(1);
        }
        try (scope) {
            scenario.await("the blocker is seen", () -> seen(scope, web).isPresent());
            assertThat(scope.warnings()).singleElement().asString().contains("no thread to be had");
        }
        web.commit();
        altering.await();
        awaitNoThread();
    }

    @Test
    void anInterruptedThreadEndsItsScopeAndStaysInterrupted() {
        Session migration = scenario.session("migration");
        PriorityScope looked = quickly(migration, lending()).start();
        scenario.await("a side connection", () -> !lent.isEmpty());
        PriorityScope unlooked =
                quickly(migration, lending()).every(Duration.ofHours(1)).start();
        Thread.currentThread().interrupt();
        looked.close();
        unlooked.close();
        assertThat(Thread.interrupted()).isTrue();
        awaitNoThread();
        assertThat(lent)
                .hasSize(1)
                .allSatisfy(connection -> assertThat(connection.isClosed()).isTrue());
    }

    @Test
    void doesNotKeepItsClassLoaderAlive(Connection connection) throws Exception {
        WeakReference<ClassLoader> undeployed = guardedFromAnotherClassLoader(connection);
        scenario.await("the class loader to be collected", () -> {
            System.gc();
            return undeployed.get() == null;
        });
        assertThat(connection.isClosed()).isFalse();
    }

    private WeakReference<ClassLoader> guardedFromAnotherClassLoader(Connection connection) throws Exception {
        URL core = PgLock.class.getProtectionDomain().getCodeSource().getLocation();
        try (URLClassLoader loader = new ItsOwnPgLock(core)) {
            Class<?> entry = loader.loadClass(PgLock.class.getName());
            assertThat(entry).isNotSameAs(PgLock.class);
            Object lock = entry.getMethod("on", Connection.class).invoke(null, connection);
            Object request = entry.getMethod("prioritize", DataSource.class).invoke(lock, lending());
            for (int i = 0; i < 3; i++) {
                AutoCloseable scope =
                        (AutoCloseable) request.getClass().getMethod("start").invoke(request);
                scope.close();
            }
            assertThat(LiveThreads.named("pglock-alarm")).isNotEmpty();
            return new WeakReference<>(loader);
        }
    }

    /** Has pglock from there, and everything else from here. */
    private static final class ItsOwnPgLock extends URLClassLoader {

        ItsOwnPgLock(URL core) {
            super(new URL[] {core}, ItsOwnPgLock.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            synchronized (getClassLoadingLock(name)) {
                if (name.startsWith("io.pglock.") && findLoadedClass(name) == null) {
                    return findClass(name);
                }
                return super.loadClass(name, resolve);
            }
        }
    }

    @Test
    void aDataSourceThatGivesNothingIsTriedAgainFromTheFirstLookOn() {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        List<String> asked = new ArrayList<>();
        DataSource reluctant = new HandingOut(() -> {
            asked.add(Thread.currentThread().getName());
            if (asked.size() == 1) {
                throw new SQLException("too many clients already");
            }
            return dataSource.getConnection();
        });
        try (PriorityScope scope = quickly(migration, reluctant).terminate().start()) {
            migration.execute(ALTER);
            assertThat(sentTo(scope)).containsExactly(web.pid());
            assertThat(scope.warnings()).singleElement().asString().contains("too many clients already");
        }
        assertThat(asked).hasSize(2).allMatch(thread -> thread.startsWith("pglock-watch"));
    }
}
