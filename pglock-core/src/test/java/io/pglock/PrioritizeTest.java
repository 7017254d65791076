// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.Signalled.Outcome;
import io.pglock.testkit.Call;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** What is done to whoever holds what the guarded session waits for. */
class PrioritizeTest extends PrioritizeScene {

    PrioritizeTest(Scenario scenario, DataSource dataSource) {
        super(scenario, dataSource);
    }

    @Test
    void reportsWhoIsInTheWayAndLeavesItAlone() {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        try (PriorityScope scope = quickly(migration).report().start()) {
            Running altering = migration.start(ALTER);
            scenario.await("the blocker is seen", () -> seen(scope, web).isPresent());
            awaitMoreLooks(scope, web);
            web.commit();
            altering.await();
            SeenBlocker blocker = seen(scope, web).orElseThrow();
            assertThat(blocker.hard()).isTrue();
            assertThat(blocker.spared()).isEmpty();
            assertThat(blocker.waitsFor()).isEqualTo("AccessExclusiveLock on orders");
            assertThat(blocker.describe())
                    .contains(
                            "blocked by pid " + web.pid() + " (web, idle in transaction for ",
                            "select count(*) from orders");
            assertThat(scope.actions()).isEmpty();
            assertThat(scope.warnings()).isEmpty();
        }
    }

    /** It has been in nobody's way for as long as it waited itself. */
    @Test
    void whoWaitedAheadAndHoldsTheLockNowIsGivenTheTimeAnew() {
        Duration after = Duration.ofSeconds(1);
        Session holder = idleInTransaction("holder");
        Session next = scenario.session("next");
        Running working = next.start("begin", "lock table orders in access exclusive mode", "select pg_sleep(300)");
        scenario.awaitBlockedBy(next, holder);
        Session migration = scenario.session("migration");
        try (PriorityScope scope =
                quickly(migration).after(after).cancel().protect("holder").start()) {
            Running altering = migration.start(ALTER);
            scenario.await(
                    "a wait that is long enough",
                    () -> seen(scope, next)
                            .filter(seen -> seen.waited().compareTo(after) > 0)
                            .isPresent());
            Instant before = Instant.now();
            holder.commit();
            altering.await();

            assertThat(working.awaitFailure().getSQLState()).isEqualTo("57014");
            assertThat(scope.actions()).singleElement().satisfies(done -> {
                assertThat(done.backend().pid()).isEqualTo(next.pid());
                assertThat(Duration.between(before, done.at())).isGreaterThanOrEqualTo(after.minusMillis(50));
            });
        }
        next.rollback();
    }

    /** A lock of the session outlasts them; each would have its time anew. */
    @Test
    void whoHoldsTheLockThroughManyShortTransactionsIsSignalledToo() {
        scenario.database().server().assumeAtLeast(14); // before, the server does not tell how long one waits
        Session worker = scenario.session("worker");
        worker.execute("select pg_advisory_lock(42)");
        String[] work = new String[400];
        Arrays.fill(work, "select pg_sleep(0.05)");
        Running working = worker.start(work);
        Session migration = scenario.session("migration");
        try (PriorityScope scope =
                quickly(migration).after(Duration.ofMillis(500)).cancel().start()) {
            Running locking = migration.start("select pg_advisory_lock(42)");

            assertThat(working.awaitFailure().getSQLState()).isEqualTo("57014");
            assertThat(scope.actions().get(0).backend().pid()).isEqualTo(worker.pid());
            worker.execute("select pg_advisory_unlock(42)");
            locking.await();
        }
    }

    /** Each of its transactions would be another blocker, without a signal yet. */
    @Test
    void whoHoldsTheLockThroughManyShortTransactionsIsSignalledOnceInEachGrace() {
        scenario.database().server().assumeAtLeast(14);
        Session worker = scenario.session("worker");
        worker.execute("select pg_advisory_lock(42)");
        worker.execute("create sequence work", "create table stop ()");
        String[] work = new String[1000];
        Arrays.fill(work, """
                do $$ begin
                    perform nextval('work');
                    perform pg_sleep(0.05) where not exists (select from stop);
                exception when query_canceled then null; -- it goes on
                end $$""");
        Session migration = scenario.session("migration");
        List<String> told = new CopyOnWriteArrayList<>();
        try (PriorityScope scope = quickly(migration)
                .after(Duration.ofMillis(300))
                .grace(Duration.ofHours(1))
                .listener((level, message) -> told.add(message))
                .cancel()
                .start()) {
            Running working = worker.start(work);
            Running locking = migration.start("select pg_advisory_lock(42)");
            scenario.await("a signal", () -> !sentTo(scope).isEmpty());
            long then = workDone();
            scenario.await("the worker to go on for some transactions", () -> workDone() > then + 15);
            scenario.session("operator").execute("insert into stop default values");
            working.await();
            worker.execute("select pg_advisory_unlock(42)");
            locking.await();

            assertThat(scope.actions())
                    .filteredOn(done -> done.outcome() == Outcome.SENT)
                    .hasSize(1);
            assertThat(scope.blockers()).hasSize(1);
            assertThat(told)
                    .filteredOn(message -> message.contains(", blocked by pid "))
                    .hasSize(1);
        }
    }

    private long workDone() {
        return Long.parseLong(scenario.session("operator").value("select last_value from work"));
    }

    @Test
    void terminatesAtOnceWhoIsIdleInItsTransaction() {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        try (PriorityScope scope =
                quickly(migration).grace(Duration.ofHours(1)).terminate().start()) {
            migration.execute(ALTER);
            assertThat(scope.actions()).singleElement().satisfies(done -> {
                assertThat(done.outcome()).isEqualTo(Outcome.SENT);
                assertThat(done.signal()).isEqualTo(Signal.TERMINATE);
                assertThat(done.backend().pid()).isEqualTo(web.pid());
                assertThat(done.detail()).startsWith("Terminated pid " + web.pid() + " (web, idle in transaction for ");
            });
        }
        scenario.awaitGone(web.pid());
    }

    @Test
    void cancelsTheStatementOfAnActiveBlocker() {
        Session web = scenario.session("web");
        Running query = busy(web);
        Session migration = scenario.session("migration");
        try (PriorityScope scope = quickly(migration).cancel().start()) {
            migration.execute(ALTER);
            assertThat(scope.actions()).extracting(Signalled::signal).containsOnly(Signal.CANCEL);
            assertThat(sentTo(scope)).containsOnly(web.pid());
        }
        assertThat(query.awaitFailure().getSQLState()).isEqualTo("57014");
        web.rollback();
        assertThat(isAlive(web)).isTrue();
    }

    @Test
    void saysOnceThatWhoIsIdleInItsTransactionCannotBeCancelled() {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        try (PriorityScope scope =
                quickly(migration).cancel().grace(Duration.ZERO).start()) {
            Running altering = migration.start(ALTER);
            scenario.await("the cancel is declined", () -> !scope.actions().isEmpty());
            awaitMoreLooks(scope, web);
            web.commit();
            altering.await();
            assertThat(scope.actions()).singleElement().satisfies(done -> {
                assertThat(done.outcome()).isEqualTo(Outcome.NO_EFFECT);
                assertThat(done.detail()).contains("only a terminate ends its transaction");
            });
        }
    }

    @Test
    void cancelsFirstAndTerminatesAfterTheGraceWhoStillBlocks() {
        Session web = scenario.session("web");
        web.begin();
        web.execute("select count(*) from orders");
        Running stubborn = web.start("""
                do $$ begin
                    loop begin perform pg_sleep(300); exception when query_canceled then null; end; end loop;
                end $$""");
        scenario.awaitState(web, "active");
        Session migration = scenario.session("migration");
        try (PriorityScope scope = quickly(migration).terminate().start()) {
            migration.execute(ALTER);
            assertThat(scope.actions()).extracting(Signalled::signal).containsExactly(Signal.CANCEL, Signal.TERMINATE);
            assertThat(scope.actions()).allMatch(Signalled::sent);
            assertThat(Duration.between(
                            scope.actions().get(0).at(), scope.actions().get(1).at()))
                    .isGreaterThanOrEqualTo(Duration.ofMillis(190));
        }
        assertThat(stubborn.awaitFailure().getSQLState()).isEqualTo("57P01");
    }

    /** Between two of its statements it idles in its transaction, and has not been forgotten. */
    @Test
    void cancelsABatchBeforeItIsTerminated() {
        Session batch = idleInTransaction("batch");
        AtomicBoolean over = new AtomicBoolean();
        Call<?> work = batch.run(connection -> {
            try (var insert = connection.prepareStatement("insert into orders values (?, 'b')")) {
                for (int id = 3; !over.get(); id++) {
                    insert.setInt(1, id);
                    insert.execute();
                }
            }
            return true;
        });
        Session migration = scenario.session("migration");
        Duration grace = Duration.ofMillis(200);
        try (PriorityScope scope = quickly(migration)
                .after(Duration.ofMillis(500))
                .grace(grace)
                .terminate()
                .start()) {
            migration.execute(ALTER);
            Signalled first = scope.actions().get(0);
            assertThat(first.signal()).isEqualTo(Signal.CANCEL);
            assertThat(scope.actions())
                    .filteredOn(done -> done.signal() == Signal.TERMINATE && done.sent())
                    .allSatisfy(done -> assertThat(Duration.between(first.at(), done.at()))
                            .isGreaterThanOrEqualTo(grace.minusMillis(10)));
        } finally {
            over.set(true);
        }
        work.awaitFailure(SQLException.class);
    }

    @Test
    void doesNothingUntilTheWaitIsLongEnough() {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        try (PriorityScope scope =
                quickly(migration).terminate().after(Duration.ofHours(1)).start()) {
            Running altering = migration.start(ALTER);
            scenario.await("the blocker is seen", () -> seen(scope, web).isPresent());
            awaitMoreLooks(scope, web);
            web.commit();
            altering.await();
            assertThat(scope.actions()).isEmpty();
        }
    }

    /** django-pglock measured the age of the last query, so that a transaction that kept busy never qualified. */
    @Test
    void measuresTheAgeOfTheTransactionNotOfItsLastQuery() {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        Duration age = Duration.ofMillis(600);
        try (PriorityScope scope = quickly(migration).terminate().minAge(age).start()) {
            Running altering = migration.start(ALTER);
            scenario.await("the busy transaction is terminated", () -> {
                if (!altering.isDone()) {
                    web.start("select 1"); // pings, and fails in the end
                }
                return !sentTo(scope).isEmpty();
            });
            altering.await();
            assertThat(scope.actions())
                    .allSatisfy(done ->
                            assertThat(done.backend().xactAge().orElseThrow()).isGreaterThanOrEqualTo(age));
        }
    }

    /** django-pglock looked for relations only, and saw no other lock. */
    @Test
    void getsPastASessionThatIdlesOnAnAdvisoryLock() {
        Session web = scenario.session("web");
        web.execute("select pg_advisory_lock(4711)");
        Session migration = scenario.session("migration");
        try (PriorityScope scope = quickly(migration).terminate().start()) {
            migration.execute("select pg_advisory_lock(4711)", "select pg_advisory_unlock(4711)");
            assertThat(sentTo(scope)).containsExactly(web.pid());
            assertThat(seen(scope, web).orElseThrow().waitsFor()).isEqualTo("ExclusiveLock on advisory key 4711");
        }
    }

    @Test
    void getsPastTheHolderOfARow() {
        Session web = scenario.session("web");
        web.begin();
        web.execute("update orders set note = 'w' where id = 1");
        Session migration = scenario.session("migration");
        try (PriorityScope scope = quickly(migration).terminate().start()) {
            migration.execute("update orders set note = 'm' where id = 1");
            assertThat(sentTo(scope)).containsExactly(web.pid());
        }
    }

    @Test
    void getsAConcurrentIndexPastAnOldSnapshot() {
        Session web = scenario.session("web");
        web.begin();
        web.execute("set transaction isolation level repeatable read", "select count(*) from orders");
        Session migration = scenario.session("migration");
        try (PriorityScope scope = quickly(migration).terminate().start()) {
            migration.execute("create index concurrently on orders (note)");
            assertThat(sentTo(scope)).containsExactly(web.pid());
            assertThat(seen(scope, web).orElseThrow().waitsFor()).contains("virtual transaction");
        }
    }

    @Test
    void asksACustomActionForEachBlockerAndSendsWhatItSays() {
        Session first = idleInTransaction("first");
        Session second = idleInTransaction("second");
        Session migration = scenario.session("migration");
        List<SeenBlocker> asked = Collections.synchronizedList(new ArrayList<>());
        try (PriorityScope scope = quickly(migration)
                .grace(Duration.ofHours(1))
                .action(blocker -> {
                    asked.add(blocker);
                    return blocker.backend().application().equals(Optional.of("first"))
                            ? Optional.of(Signal.TERMINATE)
                            : Optional.empty();
                })
                .start()) {
            Running altering = migration.start(ALTER);
            scenario.awaitGone(first.pid());
            awaitMoreLooks(scope, second);
            second.commit();
            altering.await();
            assertThat(sentTo(scope)).containsExactly(first.pid());
            assertThat(asked)
                    .extracting(each -> each.backend().pid())
                    .as("asked once in each grace")
                    .containsExactlyInAnyOrder(first.pid(), second.pid());
        }
    }

    @Test
    void signalsNobodyWhenTheCustomActionOrTheFilterFails() {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        try (PriorityScope acting = quickly(migration)
                        .action(blocker -> {
                            throw new IllegalStateException("broken action");
                        })
                        .start();
                PriorityScope filtering = quickly(migration)
                        .terminate()
                        .only(blocker -> {
                            throw new IllegalStateException("broken filter");
                        })
                        .start()) {
            Running altering = migration.start(ALTER);
            scenario.await(
                    "both fail",
                    () -> !acting.warnings().isEmpty() && !filtering.warnings().isEmpty());
            awaitMoreLooks(filtering, web);
            web.commit();
            altering.await();
            assertThat(acting.actions()).isEmpty();
            assertThat(filtering.actions()).isEmpty();
            assertThat(acting.warnings()).singleElement().asString().contains("broken action");
            assertThat(filtering.warnings()).singleElement().asString().contains("broken filter");
        }
    }

    @Test
    void aDryRunSaysWhatItWouldDoAndDoesNot() {
        Session active = scenario.session("active");
        busy(active);
        Session idle = idleInTransaction("idle");
        Session migration = scenario.session("migration");
        try (PriorityScope scope = quickly(migration).terminate().dryRun().start()) {
            Running altering = migration.start(ALTER);
            scenario.await(
                    "all three signals are on record", () -> scope.actions().size() >= 3);
            awaitMoreLooks(scope, idle);
            idle.commit();
            active.cancel();
            altering.await();
            assertThat(scope.actions()).extracting(Signalled::outcome).containsOnly(Outcome.DRY_RUN);
            assertThat(scope.actions())
                    .filteredOn(done -> done.backend().pid() == active.pid())
                    .extracting(Signalled::signal)
                    .containsExactly(Signal.CANCEL, Signal.TERMINATE);
            assertThat(scope.actions())
                    .filteredOn(done -> done.backend().pid() == idle.pid())
                    .extracting(Signalled::signal)
                    .containsExactly(Signal.TERMINATE);
        }
    }

    @Test
    void tellsAListenerOfEachBlockerAndActionOnce() {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        List<String> told = Collections.synchronizedList(new ArrayList<>());
        try (PriorityScope scope = quickly(migration)
                .terminate()
                .listener((level, message) -> told.add(level + " " + message))
                .start()) {
            migration.execute(ALTER);
            assertThat(sentTo(scope)).containsExactly(web.pid());
        }
        assertThat(told).hasSize(2).allMatch(line -> line.startsWith(Level.WARNING + " "));
        assertThat(told.get(0)).contains("pid " + migration.pid() + " waited ", "blocked by pid " + web.pid());
        assertThat(told.get(1)).contains("Terminated pid " + web.pid());
    }

    @Test
    void aFailingListenerFailsNothing() {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        try (PriorityScope scope = quickly(migration)
                .terminate()
                .listener((level, message) -> {
                    throw new IllegalStateException("broken listener, expected in this test");
                })
                .start()) {
            migration.execute(ALTER);
            assertThat(sentTo(scope)).containsExactly(web.pid());
        }
    }

    /** A class that is not there, an assertion: with it the thread ended that looks after everybody on this DataSource. */
    @Test
    void whatIsThrownAtTheWatchDoesNotEndIt() {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        try (PriorityScope broken = quickly(scenario.session("other"))
                        .terminate()
                        .unless(seen -> {
                            throw new AssertionError("a broken filter, expected in this test");
                        })
                        .listener((level, message) -> {
                            throw new AssertionError("a broken listener, expected in this test");
                        })
                        .start();
                PriorityScope scope = quickly(migration).start()) {
            Running first = scenario.session("other").start("alter table orders add column other int");
            scenario.await("the filter to have failed", () -> !broken.warnings().isEmpty());
            Running second = migration.start(ALTER);
            scenario.await("the watch to go on", () -> seen(scope, web).isPresent());
            web.commit();
            first.await();
            second.await();
            assertThat(broken.warnings())
                    .singleElement()
                    .asString()
                    .contains("The filter given to prioritize() failed");
            assertThat(broken.actions()).isEmpty();
        }
    }

    @Test
    void whatWasSeenAndDoneCanBeReadAfterTheEnd() {
        idleInTransaction("web");
        Session migration = scenario.session("migration");
        PriorityScope scope = quickly(migration).terminate().start();
        migration.execute(ALTER);
        scope.close();
        scope.close();
        assertThat(scope.actions()).hasSize(1);
        assertThat(scope.blockers()).hasSize(1);
        assertThat(scope).hasToString("pid " + migration.pid() + ": 1 blockers, 1 actions");
    }

    @Test
    void eachSettingReturnsACopy() {
        Session migration = scenario.session("migration");
        Prioritize report = quickly(migration);
        report.terminate();
        Session web = idleInTransaction("web");
        try (PriorityScope scope = report.start()) {
            Running altering = migration.start(ALTER);
            scenario.await("the blocker is seen", () -> seen(scope, web).isPresent());
            awaitMoreLooks(scope, web);
            web.commit();
            altering.await();
            assertThat(scope.actions()).isEmpty();
        }
    }

    @Test
    void refusesTimesAndNamesThatMeanNothing() {
        Prioritize prioritize = quickly(scenario.session("migration"));
        Duration negative = Duration.ofMillis(-1);
        assertThatThrownBy(() -> prioritize.after(negative)).hasMessage("after: zero or more, not PT-0.001S");
        assertThatThrownBy(() -> prioritize.grace(negative)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> prioritize.minAge(negative)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> prioritize.every(Duration.ZERO)).hasMessage("every: at least 1ms, not PT0S");
        Duration longer = Duration.ofDays(25);
        assertThatThrownBy(() -> prioritize.after(longer)).hasMessage("after: at most 24 days, not PT600H");
        assertThatThrownBy(() -> prioritize.grace(longer)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> prioritize.minAge(longer)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> prioritize.every(ChronoUnit.FOREVER.getDuration()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> prioritize.protect(" ")).isInstanceOf(IllegalArgumentException.class);
    }
}
