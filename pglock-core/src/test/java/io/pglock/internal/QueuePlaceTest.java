// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.Backend;
import io.pglock.PgLock;
import io.pglock.PriorityScope;
import io.pglock.testkit.Call;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How long somebody has been in the way, where the server does not tell (before PostgreSQL 14). */
@PostgresTest
class QueuePlaceTest {

    private static final Instant BEGUN = Instant.parse("2026-11-24T10:00:00Z");
    private static final String KEY = "ExclusiveLock on advisory key 42";
    private static final Duration LONG = Duration.ofHours(1);

    private final Connection connection;
    private QueuePlace place;

    QueuePlaceTest(Connection connection) {
        this.connection = connection;
    }

    @BeforeEach
    void place() throws SQLException {
        Notices notices = new Notices(Optional.empty(), new Findings());
        place = new QueuePlace(PgSession.of(connection).facts(), notices, new Victims.Tally());
    }

    /** In the transaction that began after so many milliseconds. */
    private static Sighting ahead(int pid, int transaction, String waitsFor, Duration running) {
        Optional<Instant> begun = Optional.of(BEGUN);
        Optional<Instant> transactionBegun = Optional.of(BEGUN.plusMillis(transaction));
        Optional<String> nothing = Optional.empty();
        Backend backend = new Backend(
                pid,
                Optional.empty(),
                nothing,
                nothing,
                nothing,
                nothing,
                nothing,
                nothing,
                nothing,
                begun,
                transactionBegun,
                begun,
                begun,
                nothing,
                nothing,
                nothing,
                nothing,
                nothing,
                BEGUN);
        return new Sighting(
                4711,
                backend,
                Optional.of(new Sighting.Held(pid, KEY, "1/" + transaction, "ExclusiveLock")),
                waitsFor,
                Optional.empty(),
                Optional.of(running),
                Sighting.Kind.SESSION,
                Optional.empty(),
                List.of(),
                Optional.empty());
    }

    private static long at(int millis) {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }

    /** By now. */
    private long waited(Sighting sighting, int now) {
        place.saw(List.of(sighting), at(now));
        return place.waited(sighting, at(now)).toMillis();
    }

    @Test
    void whoStaysIsWaitedForAllTheTime() {
        assertThat(waited(ahead(1, 0, KEY, LONG), 0)).isZero();
        assertThat(waited(ahead(1, 0, KEY, LONG), 500)).isEqualTo(500);
        assertThat(waited(ahead(1, 0, KEY, LONG), 1_000)).isEqualTo(1_000);
        assertThat(place.waited()).hasMillis(1_000);
    }

    @Test
    void shortWaitsForOneAfterTheOtherDoNotAddUp() {
        assertThat(waited(ahead(1, 0, KEY, LONG), 0)).isZero();
        assertThat(waited(ahead(2, 0, KEY, LONG), 500)).isZero();
        assertThat(waited(ahead(2, 600, KEY, LONG), 700))
                .as("another transaction")
                .isZero();
        assertThat(waited(ahead(2, 600, KEY, LONG), 800)).isEqualTo(100);
        assertThat(waited(ahead(1, 0, KEY, LONG), 900)).as("in between gone").isZero();
        assertThat(place.waited()).as("its own wait").hasMillis(900);
    }

    private static Sighting queued(Sighting holder) {
        return new Sighting(
                holder.waiter(),
                holder.backend(),
                Optional.empty(),
                holder.waitsFor(),
                holder.waited(),
                holder.running(),
                holder.kind(),
                holder.spared(),
                holder.victims(),
                holder.victimsWaited());
    }

    /** By now. */
    private long heldUp(Sighting sighting, int now) {
        place.saw(List.of(sighting), at(now));
        return place.heldUpBy(sighting, at(now)).toMillis();
    }

    @Test
    void whoWaitedAheadHoldsItUpFromWhenItHoldsTheLock() {
        Sighting holder = ahead(1, 0, KEY, LONG);
        waited(queued(holder), 0);
        waited(queued(holder), 1_000);
        assertThat(heldUp(holder, 1_100)).isZero();
        assertThat(heldUp(holder, 1_500)).isEqualTo(400);
        assertThat(place.waited(holder, at(1_500))).as("in all").hasMillis(1_500);
        assertThat(heldUp(ahead(2, 0, KEY, LONG), 1_600)).as("another one").isZero();
        place.attempt();
        assertThat(heldUp(holder, 2_000)).isZero();
        assertThat(heldUp(holder, 2_300)).as("from the first look on").isEqualTo(300);
    }

    @Test
    void aWaitIsNoOlderThanItsStatement() {
        waited(ahead(1, 0, KEY, LONG), 0);
        assertThat(waited(ahead(1, 0, KEY, Duration.ofMillis(30)), 500)).isEqualTo(30);
        assertThat(place.waited()).hasMillis(30);
    }

    @Test
    void aWaitForSomethingElseBeginsAnew() {
        waited(ahead(1, 0, KEY, LONG), 0);
        assertThat(waited(ahead(1, 0, "ShareLock on transaction 7", LONG), 500)).isZero();
        place.saw(List.of(), at(600));
        assertThat(waited(ahead(1, 0, "ShareLock on transaction 7", LONG), 700)).isZero();
        place.attempt();
        assertThat(waited(ahead(1, 0, "ShareLock on transaction 7", LONG), 800)).isZero();
    }

    /** Three that take turns, each for a moment, and a guarded session that wants the same over and over. */
    @Test
    void whoTakesItsTurnIsNotSignalled(Scenario scenario, DataSource dataSource) {
        Duration after = Duration.ofSeconds(1);
        AtomicBoolean over = new AtomicBoolean();
        List<Call<?>> turns = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            turns.add(scenario.session("web-" + i).run(web -> {
                try (Statement statement = web.createStatement()) {
                    while (!over.get()) {
                        statement.execute("begin; select pg_advisory_xact_lock(42); select pg_sleep(0.03); commit");
                    }
                }
                return true;
            }));
        }
        Session guarded = scenario.session("job");
        try (PriorityScope scope = PgLock.on(guarded.connection())
                .prioritize(dataSource)
                .after(after)
                .terminate()
                .start()) {
            long longest = 0;
            long inAll = 0;
            while (inAll < 3 * after.toNanos()) {
                long begun = System.nanoTime();
                guarded.execute("select pg_advisory_xact_lock(42)");
                long took = System.nanoTime() - begun;
                longest = Math.max(longest, took);
                inAll += took;
            }
            Assumptions.assumeTrue(longest < after.toNanos(), "a wait that short on this machine");
            assertThat(scope.blockers()).isNotEmpty();
            assertThat(scope.actions()).isEmpty();
        } finally {
            over.set(true);
        }
        turns.forEach(Call::await);
    }
}
