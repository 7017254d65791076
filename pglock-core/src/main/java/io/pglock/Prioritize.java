// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.Guarded;
import io.pglock.internal.PgSession;
import io.pglock.internal.PriorityPlan;
import io.pglock.internal.PriorityPlan.Mode;
import io.pglock.internal.PriorityPlan.Timing;
import io.pglock.internal.Wait;
import io.pglock.internal.Watches;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Predicate;
import javax.sql.DataSource;

/**
 * A request that, while a scope is open, whoever blocks this session is reported, cancelled or terminated. Immutable and
 * thread-safe; each method returns a changed copy.
 *
 * {@snippet :
 * try (PriorityScope scope = PgLock.on(connection)
 *         .prioritize(dataSource)
 *         .terminate()
 *         .after(Duration.ofSeconds(2))
 *         .start()) {
 *     statement.execute("alter table orders add column note text");
 * }
 * }
 *
 * <p>A daemon thread looks through a second connection, taken from the DataSource when the scope has been open for longer than
 * {@link #every} and given back as it was found; all scopes on one DataSource share both. Nothing that goes wrong there fails
 * the guarded work: it becomes one warning.
 *
 * <p>Signalled is only a client's session that <em>holds</em> a lock which this session waits for, in a conflicting mode, and
 * that is still in the transaction in which it was seen; all of it is checked in the statement that signals. Never signalled:
 * who merely waits ahead in the queue, a blocker's blocker, protected names, any other session of this JVM as far as that can be
 * told, sessions guarded by pglock here or elsewhere, a Flyway history connection, the session of a {@link LockClient}, autovacuum and
 * other processes of the server. A prepared transaction is reported together with its {@code ROLLBACK PREPARED}.
 *
 * <p>Blockers, actions and warnings are logged to the {@link System.Logger} {@code io.pglock}, or told to a {@link #listener}.
 *
 * @see <a href="https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL">Server Signaling
 *     Functions</a>
 */
public final class Prioritize {

    private static final Duration SIDE_CONNECTION_WITHIN = Duration.ofSeconds(60);

    private final PgSession session;
    private final DataSource dataSource;
    private final PriorityPlan plan;

    private Prioritize(PgSession session, DataSource dataSource, PriorityPlan plan) {
        this.session = session;
        this.dataSource = dataSource;
        this.plan = plan;
    }

    Prioritize(PgSession session, DataSource dataSource) {
        this(session, Objects.requireNonNull(dataSource, "dataSource"), PriorityPlan.DEFAULT);
    }

    private Prioritize with(PriorityPlan changed) {
        return new Prioritize(session, dataSource, changed);
    }

    /** Blockers are named, nobody is signalled. The default. */
    public Prioritize report() {
        return with(plan.aim(Mode.REPORT, seen -> Optional.empty()));
    }

    /**
     * The blocker's running statement is cancelled, again after each {@link #grace} if it still blocks. A session that is idle
     * in its transaction cannot be cancelled: that is said, once.
     */
    public Prioritize cancel() {
        return with(plan.aim(Mode.CANCEL, seen -> Optional.empty()));
    }

    /**
     * The blocker's running statement is cancelled, and its session terminated if it still blocks in the same transaction when
     * the {@link #grace} is over. A session that has been idle in its transaction for as long as {@link #after} is terminated at
     * once. One that idles for less may be a batch between two statements: it gets the cancel, which may meet no statement, and
     * the grace.
     */
    public Prioritize terminate() {
        return with(plan.aim(Mode.TERMINATE, seen -> Optional.empty()));
    }

    /**
     * Decides for each blocker that could be signalled, once it has been in the way for {@link #after}, and again after each
     * {@link #grace}: which signal to send, or none. Called on the watch's thread, so not for long; if it throws, nobody is
     * signalled and the scope gets a warning.
     */
    public Prioritize action(Function<SeenBlocker, Optional<Signal>> decide) {
        return with(plan.aim(Mode.ACTION, Objects.requireNonNull(decide, "decide")));
    }

    /** Everything but the signals: {@link PriorityScope#actions()} has what would have been sent. */
    public Prioritize dryRun() {
        return with(plan.dryRun());
    }

    /**
     * Nobody is signalled, nor logged, before this session has waited for so long; only another session of this JVM that blocks it
     * is told at once. Who waited ahead of it at first has as long from when it is seen to hold the lock. For {@link #terminate} it
     * is also how long a session has to have idled to be terminated at once.
     *
     * @param wait zero or more; 1 s if not set
     * @throws IllegalArgumentException when it is negative or longer than 24 days
     */
    public Prioritize after(Duration wait) {
        Timing timing = plan.timing();
        return with(plan.timing(new Timing(bounded("after", wait), timing.grace(), timing.every(), timing.minAge())));
    }

    /**
     * What a cancelled blocker is given to end its transaction before it is terminated.
     *
     * @param time zero or more; 2 s if not set
     * @throws IllegalArgumentException when it is negative or longer than 24 days
     */
    public Prioritize grace(Duration time) {
        Timing timing = plan.timing();
        return with(plan.timing(new Timing(timing.after(), bounded("grace", time), timing.every(), timing.minAge())));
    }

    /**
     * How often the watch looks; in the first such interval of a scope it does not even connect.
     *
     * @param interval at least 1 ms; 50 ms if not set
     * @throws IllegalArgumentException when it is shorter, or longer than 24 days
     */
    public Prioritize every(Duration interval) {
        if (interval.compareTo(Duration.ofMillis(1)) < 0) {
            throw new IllegalArgumentException("every: at least 1ms, not " + interval);
        }
        Timing timing = plan.timing();
        return with(
                plan.timing(new Timing(timing.after(), timing.grace(), bounded("every", interval), timing.minAge())));
    }

    /**
     * Blockers whose transaction is younger are not signalled. Outside a transaction, with a session lock, it counts for how
     * long the session has been idle.
     *
     * @param age zero or more; zero if not set
     * @throws IllegalArgumentException when it is negative or longer than 24 days
     */
    public Prioritize minAge(Duration age) {
        Timing timing = plan.timing();
        return with(plan.timing(new Timing(timing.after(), timing.grace(), timing.every(), bounded("minAge", age))));
    }

    /**
     * Never to signal a session with one of these application or role names, besides those named before; from the start these
     * are {@code pg_dump} and {@code pg_basebackup}. The names as they were given to the server, which shows an application's
     * cut to 63 bytes and without its letters beyond ASCII.
     *
     * @throws IllegalArgumentException when one is blank
     */
    public Prioritize protect(String... names) {
        Set<String> all = new HashSet<>(plan.protect());
        all.addAll(List.of(names));
        return protectOnly(all);
    }

    /**
     * Never to signal a session with one of these application or role names; no others are protected by name.
     *
     * @throws IllegalArgumentException when one is blank
     */
    public Prioritize protectOnly(Collection<String> names) {
        if (names.stream().anyMatch(String::isBlank)) {
            throw new IllegalArgumentException("protect: an application or role name, not a blank");
        }
        return with(plan.protect(Set.copyOf(names)));
    }

    /**
     * Blockers for which this holds are not signalled. Called on the watch's thread; if it throws, nobody is.
     */
    public Prioritize unless(Predicate<SeenBlocker> spared) {
        return with(plan.spareAlso(Objects.requireNonNull(spared, "spared")));
    }

    /** Only blockers for which this holds are signalled; as {@link #unless} of the opposite. */
    public Prioritize only(Predicate<SeenBlocker> signalled) {
        return unless(Predicate.not(Objects.requireNonNull(signalled, "signalled")));
    }

    /** {@link #start} opens and checks the side connection at once, and throws if it cannot be had. */
    public Prioritize requireSideConnection() {
        return with(plan.requireSideConnection());
    }

    /**
     * Is told what otherwise is logged: each blocker once it has been in the way for {@link #after} (another session of this JVM at
     * once), each action, each warning. Called on the watch's thread, never after {@link PriorityScope#close()} has returned, so not for long: closing waits for
     * it. What it throws is logged.
     */
    public Prioritize listener(BiConsumer<System.Logger.Level, String> told) {
        return with(plan.listener(Objects.requireNonNull(told, "told")));
    }

    /**
     * Opens the scope. Costs no round trip on a connection that pglock has seen before, and one on a new connection.
     *
     * @throws LockNotSupportedException through a transaction pooler, where the session that waits is another for each
     *     transaction
     * @throws PgLockException when the connection is closed, or {@link #requireSideConnection} could not be met
     */
    public PriorityScope start() {
        return start(() -> Guarded.alone(session, plan));
    }

    /**
     * As {@link #start}, for a session that is one of those that a unit uses, and does not end the scope by being closed.
     *
     * @param keeper the scope ends when nobody can reach this any more
     * @param other of the same unit: what was seen and done there is seen here too, and goes on
     */
    PriorityScope startFor(Object keeper, Optional<PriorityScope> other) {
        return start(() -> Guarded.oneOf(session, plan, keeper, other.map(PriorityScope::guarded)));
    }

    private PriorityScope start(PgSession.Work<Guarded> asking) {
        Guarded guarded;
        try {
            session.requireDirect("prioritize");
            guarded = asking.run();
        } catch (SQLException e) {
            throw new PgLockException("prioritize: the session could not be asked for its pid: " + e.getMessage(), e);
        }
        Watches.Guarding guarding = Watches.guard(dataSource, guarded);
        PriorityScope scope = new PriorityScope(session, guarded, guarding);
        if (plan.required()) {
            try {
                guarded.awaitChecked(SIDE_CONNECTION_WITHIN);
            } catch (PgLockException e) {
                scope.close();
                throw e;
            }
        }
        return scope;
    }

    private static Duration bounded(String what, Duration duration) {
        if (duration.isNegative()) {
            throw new IllegalArgumentException(what + ": zero or more, not " + duration);
        }
        if (duration.compareTo(Wait.LONGEST) > 0) {
            throw new IllegalArgumentException(what + ": at most 24 days, not " + duration);
        }
        return duration;
    }
}
