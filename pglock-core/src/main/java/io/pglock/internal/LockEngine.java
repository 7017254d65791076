// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockNotSupportedException;
import io.pglock.PgLockException;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.sql.SQLTransientException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The thread of a {@link io.pglock.LockClient}, which alone uses its connection: an interrupt of whoever waits for a lock cannot
 * close the socket that all the others depend on. Callers hand it what is to be done, and park. Thread-safe. Not API.
 */
public final class LockEngine implements AutoCloseable {

    /**
     * What a client is made with.
     *
     * @param name what the operator is to see its session as; empty for the application's own
     * @param heartbeat a connection that is dead without saying so is noticed within this
     * @param mostLocks how many keys at most may be held or waited for
     * @param executor what is not this thread's runs on it
     * @param nowAndThen runs on this thread, about twice a second
     */
    public record Settings(String name, Duration heartbeat, int mostLocks, Executor executor, Runnable nowAndThen) {}

    private static final AtomicInteger NUMBER = new AtomicInteger();

    /** How often the socket is looked at at least, where no answer does so. */
    private static final long LOOK = TimeUnit.MILLISECONDS.toNanos(500);

    /** Of a heartbeat, so much may pass in silence; what is left is for the answer to the question whether anybody is there. */
    private static final int QUARTERS = 4;

    /** A statement that fails so often in a row will not come through. */
    private static final int MOST_FAILURES = 10;

    private final ConnectionSource source;
    private final Settings settings;
    private final LockTable table;
    private final long look;
    private final Thread thread;
    private final Inbox inbox = new Inbox();
    private final Questions questions = new Questions();
    private final AtomicBoolean parked = new AtomicBoolean();
    private final CompletableFuture<Void> opened = new CompletableFuture<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final Connecting connecting = new Connecting();
    private volatile boolean closing;

    /** Why the thread has ended, where nobody has closed it. */
    private volatile @Nullable Throwable broken;

    private volatile @Nullable LockLink link;
    private Optional<String> outage = Optional.empty();
    private final Reconnects reconnects = new Reconnects();
    private long lastLook = System.nanoTime();
    private long lastListened = System.nanoTime();
    private int failures;

    /**
     * Connects, and starts the thread.
     *
     * @throws LockNotSupportedException through a transaction pooler, or on a standby
     * @throws PgLockException when it cannot connect
     */
    public static LockEngine start(ConnectionSource source, Settings settings) {
        LockEngine engine = new LockEngine(source, settings);
        engine.thread.start();
        Optional<Throwable> failure =
                engine.opened.handle((nothing, e) -> Optional.ofNullable(e)).join();
        if (failure.isEmpty()) {
            return engine;
        }
        engine.ended.join();
        if (failure.get() instanceof Error error) {
            throw error;
        }
        throw failure.get() instanceof SQLException e
                ? new PgLockException("LockClient: cannot connect: " + e.getMessage(), e)
                : (RuntimeException) failure.get();
    }

    private LockEngine(ConnectionSource source, Settings settings) {
        this.source = source;
        this.settings = settings;
        this.table = new LockTable(settings.mostLocks(), settings.heartbeat().toNanos(), settings.executor());
        this.look = Math.min(LOOK, settings.heartbeat().toNanos() / (2 * QUARTERS));
        this.thread = Daemon.thread(this::run, "pglock-" + NUMBER.incrementAndGet());
    }

    /** {@code pglock-1}. */
    public String name() {
        return thread.getName();
    }

    /** The longest that an answer is waited for beyond the timeout of a request. */
    public Duration patience() {
        return settings.heartbeat();
    }

    // ---- what callers want ------------------------------------------------------------------------------------------

    /** @param watched whether a thread waits that sees by itself when its time is over */
    public void request(LockRequest request, boolean watched) {
        execute(
                () -> table.request(request, watched),
                e -> request.fail(new IllegalStateException(request.key() + ": not acquired: " + e, e)));
    }

    /** Somebody has stopped waiting. */
    public void givenUp(LockRequest request) {
        execute(() -> table.givenUp(request), this::failed);
    }

    /** Releases what its holder has let go of; empty when it was held until then, why it was not otherwise. */
    public Optional<Hold.Loss> release(ClientHold hold) {
        LockRelease release = new LockRelease(hold.keys().size());
        execute(
                () -> table.release(hold, release),
                e -> release.lost(new Hold.Loss("Whether it was held is not known, its release has failed: " + e, e)));
        return release.await();
    }

    /** Of several keys one is lost, and the others may still be held. */
    public void releaseTheRest(ClientHold lost) {
        execute(() -> table.release(lost, new LockRelease(lost.keys().size())), this::failed);
    }

    /** The id of a transaction that was begun while the lock was held. */
    public CompletableFuture<Long> fencingToken(ClientHold hold) {
        CompletableFuture<Long> reply = new CompletableFuture<>();
        execute(() -> table.token(new LockBatch.Token(hold, reply)), reply::completeExceptionally);
        return reply;
    }

    /** Who is in the way of that request, as the end of a message. */
    public CompletableFuture<String> inTheWayOf(LockRequest request) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        if (isHere()) {
            question(request, answer);
            while (!answer.isDone()) {
                askOne();
            }
        } else {
            execute(() -> question(request, answer), answer::completeExceptionally);
        }
        return answer;
    }

    private void question(LockRequest request, CompletableFuture<String> answer) {
        Optional<String> here = Holders.inTheWayHere(request, table);
        if (here.isPresent() || link == null) {
            answer.complete(here.orElse(Holders.NOT_CONNECTED));
        } else {
            questions.add(request, Holders.elsewhere(request, table), answer);
        }
    }

    /** A turn has time for one question, lest they hold up those who want locks. */
    private void askOne() {
        LockLink current = link;
        if (current == null) {
            questions.answerAll(Holders.NOT_CONNECTED);
        } else {
            questions.askOne(current.session());
        }
    }

    private boolean isHere() {
        return Thread.currentThread() == thread;
    }

    /** What is held and waited for, for an operator. */
    public CompletableFuture<String> describe() {
        return ask(() -> this + ": " + Holders.describe(table, settings.mostLocks()));
    }

    /** Something that only this thread can find out. */
    private CompletableFuture<String> ask(Supplier<String> question) {
        return CompletableFuture.supplyAsync(
                question, isHere() ? Runnable::run : asking -> execute(asking, this::failed));
    }

    private void failed(Throwable e) {
        Log.log(Level.WARNING, name() + ": something has failed: " + e, e);
    }

    private void execute(Runnable what, Consumer<Throwable> failed) {
        inbox.add(what, failed);
        if (parked.compareAndSet(true, false)) {
            LockSupport.unpark(thread);
        }
        if (ended.isDone()) {
            drainAfterTheEnd();
        }
    }

    /** Nobody else does it any more. */
    private void drainAfterTheEnd() {
        synchronized (inbox) {
            drain();
            table.failAll(closed());
            table.prune();
        }
    }

    private IllegalStateException closed() {
        return new IllegalStateException(howItEnded("The LockClient is closed."), broken);
    }

    private Hold.Loss lossAtTheEnd() {
        return new Hold.Loss(howItEnded("The LockClient was closed before the lock was released."), broken);
    }

    private String howItEnded(String whenClosed) {
        return broken == null ? whenClosed : "The LockClient has ended, its thread has failed: " + broken;
    }

    /** Ends the thread and its session. What is still held is lost. */
    @Override
    public void close() {
        closing = true;
        execute(() -> {}, this::failed);
        if (isHere()) {
            return;
        }
        if (connecting.end()) {
            end(); // in place of the thread, which may never come back
            Patience.join(thread, Connecting.LONGEST_END);
        } else {
            ended.join();
        }
    }

    // ---- the thread -------------------------------------------------------------------------------------------------

    private void run() {
        try {
            open();
            while (!closing) {
                turn();
            }
        } catch (SQLException | RuntimeException | Error e) {
            if (!opened.completeExceptionally(e)) {
                broken = e;
                Log.log(Level.ERROR, name() + " ends: " + e.getMessage(), e);
            }
        } finally {
            if (!connecting.isLeftAlone()) {
                end();
            }
        }
    }

    private void open() throws SQLException {
        connect();
        opened.complete(null);
    }

    /** The session ends with the thread, whatever else goes wrong: it would keep its locks. */
    private void end() {
        try {
            anyway(this::drain);
            anyway(() -> table.lost(lossAtTheEnd()));
            anyway(() -> table.failAll(closed()));
            anyway(table::prune);
            anyway(this::closeLink);
            anyway(this::askOne); // nobody answers those that are left
        } finally {
            ended.complete(null);
        }
        drainAfterTheEnd();
    }

    private void anyway(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException | Error e) {
            failed(e);
        }
    }

    private void closeLink() {
        LockLink last = link;
        if (last != null) {
            link = null;
            last.close();
        }
    }

    private void turn() {
        drain();
        if (table.now() - lastLook >= look) {
            lastLook = table.now();
            settings.nowAndThen().run();
        }
        table.expire();
        if (link == null) {
            table.prune();
            reconnect();
            if (closing) {
                return; // whoever closes it may have the table by now
            }
        }
        LockLink current = link;
        if (current == null) {
            askOne();
            park(table.idleFor(table.needsServer() ? reconnects.next() - now() : Reconnects.LONGEST, false));
            return;
        }
        LockBatch batch = table.plan();
        if (!batch.isEmpty()) {
            send(current, batch);
        } else if ((table.now() - lastListened < look || listen(current)) && questions.isEmpty()) {
            park(table.idleFor(look, true));
        }
        askOne();
    }

    private long now() {
        table.at(System.nanoTime());
        return table.now();
    }

    private void drain() {
        now();
        inbox.drain();
    }

    private void park(long nanos) {
        parked.set(true);
        if (inbox.isEmpty() && !closing && nanos > 0) {
            LockSupport.parkNanos(this, nanos);
        }
        parked.set(false);
        Thread.interrupted(); // nobody has a reason to, and the next time it would not park
    }

    private void send(LockLink current, LockBatch batch) {
        try {
            LockEvents.RoundTrip event = LockEvents.roundTrip();
            current.run(batch);
            event.end(batch.entries().size());
            now();
            table.confirmed();
            failures = 0;
        } catch (SQLException e) {
            failures += isPassing(e) ? 0 : 1;
            if (current.isLost(e) || failures > MOST_FAILURES) {
                lost(current, e);
            } else {
                reconcile(current, batch, e);
            }
        }
    }

    /** Somebody cancels our statements, or the server has no room for more locks: no reason to give up those that are held. */
    private static boolean isPassing(SQLException e) {
        return SqlState.is(e, SqlState.QUERY_CANCELED)
                || String.valueOf(e.getSQLState()).startsWith(SqlState.INSUFFICIENT_RESOURCES);
    }

    /** A part of it may have been done; those who asked for what was not have to know, or ask again. */
    private void reconcile(LockLink current, LockBatch batch, SQLException failure) {
        try {
            settle(
                    current,
                    new Hold.Loss(
                            "The lock was not held any more: somebody called pg_advisory_unlock_all on the client's session.",
                            failure));
            table.confirmed();
            if (!SqlState.is(failure, SqlState.QUERY_CANCELED)) {
                String message =
                        "The server has not granted the lock: " + failure.getMessage() + ". " + current.slots();
                fail(batch, new PgLockException(message, failure));
            }
        } catch (SQLException e) {
            e.addSuppressed(failure);
            lost(current, e);
        }
    }

    private void fail(LockBatch batch, PgLockException told) {
        table.failFirst(batch.failedEntries(), told);
        batch.failedSeveral().forEach(several -> several.request().fail(told));
        batch.tokens().forEach(token -> token.reply().completeExceptionally(told));
    }

    /** Whoever cancels our statements may cancel these too. */
    private void settle(LockLink current, Hold.Loss why) throws SQLException {
        for (boolean settled = false; !settled; ) {
            try {
                current.run(table.reconcile(current.found(), why));
                settled = true;
            } catch (SQLException e) {
                if (closing || !SqlState.is(e, SqlState.QUERY_CANCELED)) {
                    throw e;
                }
            }
        }
    }

    /** @return false when the connection is not there any more */
    private boolean listen(LockLink current) {
        lastListened = table.now();
        try {
            long silence = now() - current.lastAnswer();
            if (silence + look >= settings.heartbeat().toNanos() / QUARTERS) {
                current.ping();
            } else {
                current.listen();
            }
            return true;
        } catch (SQLException e) {
            lost(current, e);
            return false;
        }
    }

    private void lost(LockLink current, SQLException cause) {
        link = null;
        current.cut();
        String message = "The connection of " + name() + " (" + current
                + ") is lost, and with it every lock that it held: " + cause.getMessage();
        Log.log(Level.WARNING, message);
        now();
        table.lost(new Hold.Loss(message, cause));
        reconnects.lost(table.now());
    }

    // ---- the connection ---------------------------------------------------------------------------------------------

    /** @return false when it was closed meanwhile: then nothing here is this thread's to touch any more */
    private boolean connect() throws SQLException {
        Duration answersWithin = settings.heartbeat().multipliedBy(QUARTERS - 1).dividedBy(QUARTERS);
        Optional<LockLink> fresh =
                connecting.connect(() -> LockLink.open(source, settings.name(), answersWithin), LockLink::close);
        if (fresh.isEmpty()) {
            return false;
        }
        link = fresh.get();
        failures = 0;
        table.connected(fresh.get().slots());
        reconnects.connected(now());
        return true;
    }

    private void reconnect() {
        if (!table.needsServer() || reconnects.next() - now() > 0) {
            return;
        }
        try {
            if (!connect()) {
                return;
            }
            outage.ifPresent(told -> Log.log(Level.INFO, name() + " is connected again: " + link));
            outage = Optional.empty();
        } catch (SQLException e) {
            if (isTransient(e)) {
                later(String.valueOf(e.getMessage()));
            } else {
                table.failAll(new PgLockException(name() + ": cannot connect: " + e.getMessage(), e));
            }
        } catch (LockNotSupportedException e) {
            later(String.valueOf(e.getMessage())); // not promoted yet
        } catch (PgLockException e) {
            table.failAll(e);
        } catch (RuntimeException e) {
            table.failAll(new IllegalStateException(name() + ": the DataSource failed: " + e, e));
        }
        reconnects.tried(now());
    }

    private void later(String why) {
        now();
        table.unreachable();
        if (outage.isEmpty()) {
            Log.log(Level.WARNING, name() + " cannot connect, and tries again for as long as somebody waits: " + why);
            outage = Optional.of(why);
        }
    }

    /** The server is not there, does not take connections yet, or has none left; so has the pool. */
    private static boolean isTransient(SQLException e) {
        String state = e.getSQLState();
        return e instanceof SQLTransientException
                || state == null
                || SqlState.isConnectionLost(e)
                || state.startsWith(SqlState.INSUFFICIENT_RESOURCES)
                || state.equals(SqlState.QUERY_CANCELED);
    }

    /** Where it is connected to, for an operator. */
    @Override
    public String toString() {
        LockLink current = link;
        return name() + ", " + (current == null ? "not connected" : current.toString());
    }
}
