// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.run;

import io.pglock.ClientLock;
import io.pglock.LockClient;
import io.pglock.LockHandle;
import io.pglock.LockKey;
import io.pglock.LockLostException;
import io.pglock.PgLockException;
import io.pglock.cli.internal.Console;
import io.pglock.cli.internal.ExitCode;
import io.pglock.cli.internal.Stop;
import io.pglock.cli.internal.server.Server;
import io.pglock.internal.Durations;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A command that runs while a session advisory lock is held, and never longer than that is known to be so. The main thread takes the
 * lock, starts the command and waits for it; signals and the loss of the lock come in on threads of their own. One use. Not API.
 */
public final class LockedCommand {

    /** Whoever waits for longer wants to know for whom. */
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    /**
     * What is to be done.
     *
     * @param key the lock
     * @param written the key as it was typed
     * @param shared whether others may hold it too
     * @param timeout how long to wait for it; empty for ever
     * @param onLost what becomes of the command when the lock is lost
     * @param grace between SIGTERM and SIGKILL
     * @param command the program, then its arguments
     */
    public record Order(
            LockKey key,
            String written,
            boolean shared,
            Optional<Duration> timeout,
            OnLost onLost,
            Duration grace,
            List<String> command) {}

    private final Console console;
    private final Server server;
    private final Order order;
    private @Nullable Child child;
    private boolean lost;

    /** Completed when what a lost lock brings upon the command is over. */
    private final CompletableFuture<Boolean> dealtWith = new CompletableFuture<>();

    /** Nothing happens yet. */
    public LockedCommand(Console console, Server server, Order order) {
        this.console = console;
        this.server = server;
        this.order = order;
    }

    /**
     * Does it.
     *
     * @return the command's exit code, or why there is none
     */
    public int run() throws InterruptedException {
        ProcessSignal.tell(this::signalled);
        try (LockClient client = LockClient.create(
                server.dataSource(), LockClient.Options.defaults().maxLocks(1))) {
            LockHandle lock = acquire(client);
            int code;
            try {
                code = runUnder(lock);
            } catch (LockLostException | Stop failure) {
                closeQuietly(lock, failure);
                throw failure;
            }
            return released(lock, code);
        }
    }

    // ---- the lock ---------------------------------------------------------------------------------------------------

    private LockHandle acquire(LockClient client) throws InterruptedException {
        ClientLock exclusive = client.advisory(order.key());
        ClientLock lock = order.shared() ? exclusive.shared() : exclusive;
        CompletableFuture<LockHandle> acquired =
                order.timeout().map(lock::timeout).orElse(lock).acquireAsync();
        try {
            try {
                return acquired.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                console.say(new InTheWay(server).of(order.key(), order.shared())
                        + " Waiting for it"
                        + order.timeout()
                                .map(most -> ", " + Durations.text(most) + " in all.")
                                .orElse("."));
                return acquired.get();
            }
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException failure
                    ? failure
                    : new IllegalStateException("The lock client failed: " + e.getCause(), e);
        }
    }

    private int released(LockHandle lock, int code) {
        try {
            lock.close();
        } catch (LockLostException e) {
            if (!isLost()) {
                console.say(e.getMessage() + " The command had ended by then or was about to, with code " + code + ".");
                return order.onLost() == OnLost.WARN ? code : ExitCode.UNAVAILABLE;
            }
        }
        return isLost() && order.onLost() != OnLost.WARN ? ExitCode.UNAVAILABLE : code;
    }

    private static void closeQuietly(LockHandle lock, Exception failure) {
        try {
            lock.close();
        } catch (PgLockException e) {
            failure.addSuppressed(e);
        }
    }

    // ---- the command ------------------------------------------------------------------------------------------------

    private int runUnder(LockHandle lock) throws InterruptedException {
        long token = lock.fencingToken();
        console.flush();
        Child started = start(token);
        Thread end = new Thread(started::kill, "pglock-end"); // whatever else ends this process
        Runtime.getRuntime().addShutdownHook(end);
        lock.onLost(() -> lost(started));
        int code = started.await();
        started.tidy(code, order.grace());
        if (isLost()) {
            dealtWith.join(); // the command may be over before those that it has started, and we end with the last
        }
        synchronized (this) {
            child = null;
        }
        Runtime.getRuntime().removeShutdownHook(end);
        return code;
    }

    private synchronized Child start(long token) {
        Child started = Child.start(
                order.command(), Map.of("PGLOCK_KEY", order.written(), "PGLOCK_FENCING_TOKEN", Long.toString(token)));
        child = started;
        return started;
    }

    private synchronized boolean isLost() {
        return lost;
    }

    private void lost(Child running) {
        synchronized (this) {
            if (!running.isAlive()) {
                return;
            }
            lost = true;
        }
        try {
            endAsOrdered(running);
        } finally {
            dealtWith.complete(true);
        }
    }

    private void endAsOrdered(Child running) {
        String what = order.key() + ": the lock is lost, and somebody else may have it. ";
        switch (order.onLost()) {
            case WARN -> console.say(what + "The command goes on, as --on-lost=warn wants it.");
            case KILL -> {
                console.say(what + "The command is killed.");
                running.kill();
            }
            default -> {
                console.say(what + "The command is told to end, and killed if it has not within "
                        + Durations.text(order.grace()) + ".");
                running.stop(order.grace());
            }
        }
    }

    /** Nothing is held before the command runs, so there is nothing to do but to leave; later it is the command's affair. */
    private void signalled(ProcessSignal signal) {
        Child running;
        synchronized (this) {
            running = child;
            if (running == null) {
                System.exit(ExitCode.SIGNALLED + signal.number());
                return;
            }
        }
        if (signal.name().equals(ProcessSignal.INTERRUPT) && TerminalJob.isInForeground()) {
            running.wasSent(signal);
        } else {
            running.signal(signal);
        }
    }
}
