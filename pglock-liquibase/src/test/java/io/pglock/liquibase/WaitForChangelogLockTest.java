// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import liquibase.exception.LockException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How long a changelog lock is waited for, what is said meanwhile, and what ends it. */
@Proves(Capability.CHANGELOG_LOCK)
class WaitForChangelogLockTest extends ChangelogLockScene {

    private static final Map<String, String> ADVISORY = lock("advisory");

    WaitForChangelogLockTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    @BeforeEach
    void beginWithTables() throws Exception {
        changelog("select 1;");
        update(ADVISORY);
        changelog("select 1;", BEHIND_THE_GATE);
    }

    private FutureTask<Boolean> inside(Session gate) {
        gate.begin();
        gate.execute("lock table gate");
        FutureTask<Boolean> holder = updating("the holder", ADVISORY);
        awaitInside("the holder");
        return holder;
    }

    /** Of which one of the peers takes no notice: it waits for five minutes. */
    @Test
    void liquibasesOwnWaitTimeEndsItAndTheHolderIsNamed() throws Exception {
        Session gate = scenario.session("gate");
        FutureTask<Boolean> holder = inside(gate);

        assertThatThrownBy(() -> update(lock("advisory", "changelogLockWaitTimeInMinutes", "0")))
                .hasRootCauseInstanceOf(LockException.class)
                .rootCause()
                .hasMessageStartingWith("Could not acquire change log lock.  Currently locked by pid ")
                .hasMessageContaining("(the holder, active for ")
                .hasMessageContaining("pg_terminate_backend(");

        gate.commit();
        await(holder);
    }

    @Test
    void aWaitTimeIsInMinutesAndTheSetterOfTheServiceCountsToo() throws Exception {
        Session gate = scenario.session("gate");
        FutureTask<Boolean> holder = inside(gate);
        FutureTask<Boolean> patient = updating("patient", lock("advisory", "changelogLockWaitTimeInMinutes", "1"));
        awaitWaiting("patient");

        with(dataSource, ADVISORY, database -> {
            lockOf(database).setChangeLogLockWaitTime(0);
            assertThatThrownBy(() -> lockOf(database).waitForLock()).isInstanceOf(LockException.class);
            return true;
        });

        assertThat(patient).isNotDone();
        gate.commit();
        await(holder);
        await(patient);
    }

    /** Liquibase's own looks every ten seconds. */
    @ParameterizedTest
    @ValueSource(strings = {"10", "0"})
    void isOverSoonWhenTheHolderIsGone(String pollRate) throws Exception {
        Session gate = scenario.session("gate");
        FutureTask<Boolean> holder = inside(gate);
        AtomicReference<Long> acquired = new AtomicReference<>(0L);
        FutureTask<Boolean> waiting = inBackground(
                "waiting",
                () -> with(
                        database().dataSource("waiting"),
                        lock("advisory", "changelogLockPollRate", pollRate),
                        database -> {
                            lockOf(database).waitForLock();
                            acquired.set(System.nanoTime());
                            lockOf(database).releaseLock();
                            return true;
                        }));
        awaitWaiting("waiting");

        gate.commit();
        await(holder);
        long released = System.nanoTime();
        await(waiting);

        assertThat(Duration.ofNanos(acquired.get() - released)).isLessThan(Duration.ofSeconds(3));
    }

    /** One of the peers says it in the log only, which the command line does not show. */
    @Test
    void isSaidOnTheConsoleOnce() throws Exception {
        Session gate = scenario.session("gate");
        FutureTask<Boolean> holder = inside(gate);
        String said = console(() -> {
            FutureTask<Boolean> waiting = updating("waiting", lock("advisory", "changelogLockPollRate", "0"));
            awaitWaiting("waiting");
            String query = "select query_start from pg_stat_activity where application_name = 'waiting'";
            for (int polls = 0; polls < 3; polls++) {
                String before = value(query);
                scenario.await("another poll", () -> !value(query).equals(before));
            }
            gate.commit();
            await(holder);
            return await(waiting);
        });
        assertThat(said.lines().filter(line -> line.startsWith("Waiting for changelog lock")))
                .satisfiesExactly(line -> assertThat(line).contains("held by pid ", "(the holder, "));
    }

    /** In one of the peers the interrupted wait becomes a busy loop. */
    @Test
    void isEndedByAnInterruptWhichIsNotLost() throws Exception {
        Session gate = scenario.session("gate");
        FutureTask<Boolean> holder = inside(gate);
        AtomicReference<Thread> thread = new AtomicReference<>();
        FutureTask<Boolean> waiting = inBackground("interrupted", () -> {
            thread.set(Thread.currentThread());
            return with(database().dataSource("waiting"), ADVISORY, database -> {
                Throwable failure = catchThrowable(() -> lockOf(database).waitForLock());
                assertThat(failure)
                        .isInstanceOf(LockException.class)
                        .hasMessageStartingWith(
                                "Interrupted while waiting for the changelog lock, which is held by pid ");
                return Thread.currentThread().isInterrupted();
            });
        });
        awaitWaiting("waiting");

        thread.get().interrupt();

        assertThat(waiting.get(60, TimeUnit.SECONDS)).isTrue();
        gate.commit();
        await(holder);
    }

    @Test
    void theHolderIsNamedAsFarAsTheRoleMaySee() throws Exception {
        Session gate = scenario.session("gate");
        FutureTask<Boolean> holder = inside(gate);
        try (java.sql.Connection poor = scenario.connectAs(scenario.role("poor", "all on schema public"))) {
            with(poor, lock("advisory", "changelogLockWaitTimeInMinutes", "0"), database -> {
                assertThatThrownBy(() -> lockOf(database).waitForLock())
                        .isInstanceOf(LockException.class)
                        .hasMessageContaining("details hidden: grant pg_read_all_stats");
                assertThat(lockOf(database).listLocks()).hasSize(1);
                return true;
            });
        }
        gate.commit();
        await(holder);
    }
}
