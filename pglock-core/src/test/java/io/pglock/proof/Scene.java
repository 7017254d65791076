// SPDX-License-Identifier: Apache-2.0
package io.pglock.proof;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pglock.PgLock;
import io.pglock.Prioritize;
import io.pglock.PriorityScope;
import io.pglock.SeenBlocker;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.postgresql.PGConnection;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Sessions in a database of their own in which rounds are played one after another: those of the mess, the guarded one, that
 * of its watch, and one that looks after all of them. To be used by one thread.
 */
final class Scene implements AutoCloseable {

    /** Deadlocks stay for a round. */
    static final String DEADLOCK_TIMEOUT = "10min";

    private static final Duration TO_BE_READY = Duration.ofMillis(15);
    private static final Duration TO_OVERTAKE = Duration.ofMillis(40);
    private static final Duration TO_END = Duration.ofSeconds(20);

    /** {@code object_not_in_prerequisite_state}: a prepared transaction at which somebody else is at work. */
    private static final String BUSY = "55000";

    private static final String CANCEL_ALL = """
            select pg_cancel_backend(pid) from pg_stat_activity
            where pid = any (?) and state in ('active', 'fastpath function call')""";

    private static final String MARK = "select pg_try_advisory_lock_shared(1885826155, ?)";

    /** How to connect. */
    interface Access {
        /** Sessions with these {@code options}. */
        PGSimpleDataSource dataSource(String options);

        /** Of the role that is protected by name. */
        PGSimpleDataSource protectedDataSource();

        int major();
    }

    private final Access access;
    private final List<Actor> actors = new ArrayList<>();
    private final Connection control;
    private final Connection guarded;
    private final int guardedPid;
    private final HikariDataSource pool;

    /** Its watch begins and ends with each round. */
    private final Recorder pooled;

    /** Its watch goes on, for another scope lasts as long as this scene. */
    private final Recorder kept;

    private final Connection other;
    private final PriorityScope keeping;
    private final AtomicLong closedAt = new AtomicLong();
    private long lastSignal;

    Scene(Access access, String name) throws SQLException {
        this.access = access;
        PGSimpleDataSource ordinary = access.dataSource("-c deadlock_timeout=" + DEADLOCK_TIMEOUT);
        String parallel = access.major() >= 16 ? "debug_parallel_query" : "force_parallel_mode";
        for (int i = 0; i < Mess.ACTORS; i++) {
            actors.add(new Actor(
                    i == Mess.PROTECTED_ACTOR ? access.protectedDataSource() : ordinary, parallel, name + "/" + i));
        }
        control = ordinary.getConnection();
        guarded = ordinary.getConnection();
        guardedPid = guarded.unwrap(PGConnection.class).getBackendPID();
        PGSimpleDataSource side =
                access.dataSource("-c search_path=proof,pg_catalog,public -c proof.waiter=" + guardedPid);
        HikariConfig one = new HikariConfig();
        one.setDataSource(side);
        one.setMaximumPoolSize(1);
        pool = new HikariDataSource(one);
        pooled = new Recorder(pool);
        kept = new Recorder(side);
        other = ordinary.getConnection();
        keeping = PgLock.on(other)
                .prioritize(kept.dataSource())
                .every(Duration.ofHours(1))
                .requireSideConnection()
                .start();
    }

    /** Everything that can be said of a round. */
    record Played(
            Mess mess,
            int guardedPid,
            List<Recorder.Look> looks,
            long closedAt,
            List<Sent> signals,
            List<SeenBlocker> blockers,
            List<String> warnings,
            int sentAfterTheEnd,
            String guardedFailure,
            List<Victim> victims) {}

    /** What a session says that took part. */
    record Victim(int pid, boolean guarded, int cancelled, boolean terminated) {}

    Played play(Mess mess, Random random) throws Exception {
        try {
            return perform(mess, random);
        } finally {
            guarded.setAutoCommit(true);
        }
    }

    private Played perform(Mess mess, Random random) throws Exception {
        Recorder recorder = mess.sharesWatch() ? kept : pooled;
        Actor.Cues cues = Actor.Cues.of(mess);
        List<Future<?>> playing = new ArrayList<>();
        boolean waitsForOvertaking = random.nextBoolean();
        Runnable overtaking = () -> {
            cues.signal().countDown();
            if (waitsForOvertaking) {
                awaitBriefly(cues.overtaken()); // so that it is over before the signal
            }
        };
        Mess.Guard guard = mess.guard();
        Statement waiting = guarded.createStatement();
        CompletableFuture<Void> enough = new CompletableFuture<>();
        CompletableFuture<Void> enoughSeen = enough.thenRunAsync(() -> cancel(waiting));
        closedAt.set(0);
        recorder.begin(overtaking, guard.looks(), () -> enough.complete(null));
        guarded.setAutoCommit(!guard.inTransaction());
        run(guarded, "set lock_timeout = '" + guard.lockTimeout().toMillis() + "ms'");
        for (String before : guard.before()) {
            run(guarded, before);
        }
        for (Mess.Part part : mess.parts()) {
            Actor actor = actors.get(part.actor());
            actor.enter(part);
            if (part.marked()) {
                query(control, MARK, actor.pid());
            }
            if (part.guarded()) {
                actor.guard();
            }
        }
        for (Mess.Part part : mess.parts()) {
            playing.add(actors.get(part.actor()).play(part, cues));
        }
        cues.ready().await(TO_BE_READY.toMillis(), TimeUnit.MILLISECONDS);

        PriorityScope scope = request(guard, recorder).start();
        String failure;
        int sent;
        try {
            CompletableFuture<Void> early = closingEarly(() -> close(scope), guard.closesAfter());
            cues.waiting().countDown();
            failure = failure(waiting, guard.statement());
            early.get(TO_END.toSeconds(), TimeUnit.SECONDS);
        } finally {
            close(scope);
        }
        if (enough.isDone()) {
            enoughSeen.get(TO_END.toSeconds(), TimeUnit.SECONDS);
        }
        waiting.close();
        sent = query(control, Truth.COUNT).get(0);
        end(mess, cues, playing);
        return new Played(
                mess,
                guardedPid,
                recorder.looks(),
                closedAt.get(),
                signals(),
                scope.blockers(),
                scope.warnings(),
                query(control, Truth.COUNT).get(0) - sent,
                failure,
                mess.parts().stream()
                        .map(part -> actors.get(part.actor()).victim(part))
                        .toList());
    }

    private Prioritize request(Mess.Guard guard, Recorder recorder) {
        Prioritize request = PgLock.on(guarded)
                .prioritize(recorder.dataSource())
                .every(Duration.ofMillis(5))
                .after(guard.after())
                .grace(guard.grace())
                .minAge(guard.minAge())
                .protect(
                        Mess.PROTECTED_APPLICATION, access.protectedDataSource().getUser())
                .unless(seen -> seen.backend().application().orElse("").equals(Mess.SPARED_APPLICATION))
                .listener((level, message) -> {});
        return switch (guard.aim()) {
            case REPORT -> request.report();
            case CANCEL -> request.cancel();
            case TERMINATE -> request.terminate();
            case DRY_RUN -> request.terminate().dryRun();
        };
    }

    private static void awaitBriefly(CountDownLatch latch) {
        try {
            latch.await(TO_OVERTAKE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void close(PriorityScope scope) {
        closedAt.compareAndSet(0, System.nanoTime());
        scope.close();
    }

    private static CompletableFuture<Void> closingEarly(Runnable closing, Duration after) {
        if (after.isZero()) {
            return CompletableFuture.completedFuture(null);
        }
        return CompletableFuture.runAsync(
                closing, CompletableFuture.delayedExecutor(after.toMillis(), TimeUnit.MILLISECONDS));
    }

    /** Nothing, or the SQLSTATE. */
    private static String failure(Statement waiting, String sql) {
        try {
            waiting.execute(sql);
            return "";
        } catch (SQLException e) {
            return e.getSQLState() + " " + e.getMessage();
        }
    }

    private static void cancel(Statement waiting) {
        try {
            waiting.cancel();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private void end(Mess mess, Actor.Cues cues, List<Future<?>> playing) throws Exception {
        List<Actor> taking =
                mess.parts().stream().map(part -> actors.get(part.actor())).toList();
        taking.forEach(Actor::ending);
        cues.signal().countDown();
        cues.over().countDown();
        if (mess.guard().inTransaction()) {
            guarded.rollback();
        }
        Integer[] pids = taking.stream().map(Actor::pid).toArray(Integer[]::new);
        long deadline = System.nanoTime() + TO_END.toNanos();
        while (!playing.stream().allMatch(Future::isDone)) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("actors do not end: " + playing);
            }
            query(control, CANCEL_ALL, control.createArrayOf("int4", pids));
            rollBackPrepared();
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
        for (Future<?> each : playing) {
            each.get();
        }
        List<Future<?>> leaving = new ArrayList<>();
        taking.forEach(actor -> leaving.add(actor.leave()));
        for (Future<?> each : leaving) {
            each.get(TO_END.toSeconds(), TimeUnit.SECONDS);
        }
        if (!rollBackPrepared()) {
            throw new AssertionError("a transaction is still being prepared, and no session is left that could");
        }
        query(control, "select pg_advisory_unlock_all()");
        query(guarded, "select pg_advisory_unlock_all()");
        if (mess.guard().inTransaction()) {
            guarded.rollback();
        } else {
            run(guarded, "set lock_timeout = 0");
            run(guarded, "drop index if exists proof_index");
        }
        run(control, Mess.AGAIN);
    }

    /** But for one that its session is just preparing; whether there was none such. */
    private boolean rollBackPrepared() throws SQLException {
        List<String> gids = new ArrayList<>();
        try (Statement statement = control.createStatement();
                ResultSet rows = statement.executeQuery(
                        "select gid from pg_prepared_xacts where database = current_database()")) {
            while (rows.next()) {
                gids.add(rows.getString(1));
            }
        }
        boolean all = true;
        for (String gid : gids) {
            try {
                run(control, "rollback prepared '" + gid + "'");
            } catch (SQLException e) {
                if (!BUSY.equals(e.getSQLState())) {
                    throw e;
                }
                all = false;
            }
        }
        return all;
    }

    private List<Sent> signals() throws SQLException {
        List<Sent> signals = new ArrayList<>();
        try (PreparedStatement statement = control.prepareStatement(Truth.SIGNALS)) {
            statement.setLong(1, lastSignal);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    lastSignal = rows.getLong("id");
                    signals.add(Sent.of(rows));
                }
            }
        }
        return signals;
    }

    private static void run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static List<Integer> query(Connection connection, String sql, Object... parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            List<Integer> values = new ArrayList<>();
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    values.add(rows.getObject(1) instanceof Number number ? number.intValue() : 0);
                }
            }
            return values;
        }
    }

    @Override
    public void close() throws SQLException {
        for (Actor actor : actors) {
            actor.close();
        }
        keeping.close();
        other.close();
        pool.close();
        control.close();
        guarded.close();
    }
}
