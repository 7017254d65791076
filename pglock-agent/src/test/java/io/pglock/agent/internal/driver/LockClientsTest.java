// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.pglock.LockKey;
import io.pglock.LockTimeoutException;
import io.pglock.internal.SideDataSource;
import io.pglock.testkit.Database;
import io.pglock.testkit.LiveThreads;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

@PostgresTest
class LockClientsTest {

    private static final String NAME = "lock clients";
    private static final LockKey KEY = LockKey.of(4711);
    private static final Optional<Duration> AT_ONCE = Optional.of(Duration.ZERO);

    /** In all databases. */
    private static final String HOLDERS = "select datname from pg_locks join pg_database d on d.oid = database"
            + " where locktype = 'advisory' and objid = 4711 order by datname";

    private static final String SESSIONS =
            "select pid from pg_stat_activity where application_name like '" + NAME + "%'";

    private final LockClients clients = new LockClients();

    private LockClients.Held lock(DataSource on) {
        return clients.on(on).acquire(KEY, false, AT_ONCE);
    }

    @Test
    void theSameKeyIsAnotherLockInAnotherDatabase(Database database, Scenario scenario) {
        Session test = scenario.session("test");
        try (Database second = database.server().createDatabase()) {
            DataSource here = database.dataSource(NAME);
            DataSource there = second.dataSource(NAME);
            LockClients.Held one = lock(here);
            LockClients.Held other = lock(there);

            assertThat(test.execute(HOLDERS)).containsExactlyInAnyOrder(database.name(), second.name());
            assertThatExceptionOfType(LockTimeoutException.class).isThrownBy(() -> lockElsewhere(here));
            one.release();
            assertThat(test.execute(HOLDERS)).containsExactly(second.name());
            other.release();
            assertThat(test.execute(HOLDERS)).isEmpty();
            awaitNothingLeft(scenario);
        }
    }

    /** Another thread, or it would have it already. */
    private void lockElsewhere(DataSource on) throws Throwable {
        Throwable[] thrown = new Throwable[1];
        Thread thread = new Thread(() -> {
            try {
                lock(on).release();
            } catch (RuntimeException e) {
                thrown[0] = e;
            }
        });
        thread.start();
        thread.join(20_000);
        if (thrown[0] != null) {
            throw thrown[0];
        }
    }

    @Test
    void aSessionServesWhoeverComesSoonAndIsClosedWhenNobodyDoes(Database database, Scenario scenario) {
        Session test = scenario.session("test");
        DataSource source = database.dataSource(NAME);

        LockClients.Held first = lock(source);
        List<String> session = test.execute(SESSIONS);
        assertThat(session).hasSize(1);
        first.release();
        LockClients.Held second = lock(source);
        assertThat(test.execute(SESSIONS)).isEqualTo(session);
        scenario.await("longer than an idle one lingers", () -> lingered(test));
        assertThat(test.execute(SESSIONS)).as("while its lock is held").isEqualTo(session);
        second.release();
        awaitNothingLeft(scenario);

        LockClients.Held third = lock(source);
        assertThat(test.execute(SESSIONS)).hasSize(1).doesNotContainAnyElementsOf(session);
        third.release();
        awaitNothingLeft(scenario);
    }

    private static boolean lingered(Session test) {
        return test.value("select clock_timestamp() - max(state_change) > interval '1500ms' from pg_stat_activity"
                        + " where application_name like '" + NAME + "%'")
                .equals("t");
    }

    @Test
    void aDatabaseThatDoesNotAnswerKeepsNobodyElseWaiting(Database database, Scenario scenario) throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CompletableFuture<Connection> answer = new CompletableFuture<>();
        DataSource silent = new SideDataSource() {
            @Override
            public Connection getConnection() {
                asked.countDown();
                return answer.join();
            }
        };
        LockClients.Held before = lock(database.dataSource(NAME));
        Thread waiting = new Thread(() -> lock(silent));
        waiting.setUncaughtExceptionHandler((thread, e) -> {});
        waiting.start();
        try {
            assertThat(asked.await(20, TimeUnit.SECONDS)).isTrue();
            Thread others = new Thread(() -> {
                before.release();
                lock(database.dataSource(NAME)).release();
            });
            others.start();
            others.join(20_000);
            assertThat(others.isAlive()).isFalse();
        } finally {
            answer.completeExceptionally(new IllegalStateException("it is gone"));
            waiting.join(20_000);
        }
        assertThat(waiting.isAlive()).isFalse();
        awaitNothingLeft(scenario);
    }

    /** What an application keeps for its threads would stay with those of others. The driver's own have it. */
    @Test
    void itsThreadsInheritNothing(Database database, Scenario scenario) {
        List<String> makers = new CopyOnWriteArrayList<>();
        InheritableThreadLocal<String> applications = new InheritableThreadLocal<>() {
            @Override
            protected String childValue(String parents) {
                makers.add(StackWalker.getInstance()
                        .walk(frames -> frames.map(StackWalker.StackFrame::getClassName)
                                .filter(name -> !name.startsWith("java.")
                                        && !name.startsWith(getClass().getName()))
                                .findFirst()
                                .orElse("")));
                return parents;
            }
        };
        applications.set("the application's");
        try {
            lock(database.dataSource(NAME)).release();
        } finally {
            applications.remove();
        }
        awaitNothingLeft(scenario);
        assertThat(makers).noneMatch(maker -> maker.startsWith("io.pglock"));
    }

    /** Neither sessions, nor the threads of this test's clients. */
    private static void awaitNothingLeft(Scenario scenario) {
        Session test = scenario.session("test");
        scenario.await(
                "the idle sessions to be closed", () -> test.execute(SESSIONS).isEmpty());
        scenario.await("the threads to end", () -> LiveThreads.named("pglock-").isEmpty());
    }
}
