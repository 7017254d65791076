// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.script;

import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * While this is open ctrl-c, or a SIGTERM, cancels the running statement and waits until the work has been put in order, before
 * the JVM ends. To be opened and closed by the thread of the work; thread-safe. Not API.
 */
public final class Interruption implements AutoCloseable {

    /** What the work throws when it has been interrupted. */
    public static final class Interrupted extends RuntimeException {

        private static final long serialVersionUID = 1;

        /** Without a stack trace, for it is no failure. */
        public Interrupted() {
            super("interrupted", null, false, false);
        }
    }

    /** A cancel may come before its statement, so it is repeated. */
    private static final long AGAIN_MILLIS = 100;

    private static final long LONGEST_SECONDS = 20;

    private final Thread worker = Thread.currentThread();
    private final CountDownLatch over = new CountDownLatch(1);
    private final Thread hook = new Thread(this::interrupt, "pglock-interrupted");
    private volatile boolean interrupted;
    private volatile @Nullable Statement running;

    private Interruption() {}

    /** From here on. */
    public static Interruption begin() {
        Interruption begun = new Interruption();
        try {
            Runtime.getRuntime().addShutdownHook(begun.hook);
        } catch (IllegalStateException goingDown) {
            begun.interrupted = true; // it came before
        }
        return begun;
    }

    /** @throws Interrupted if it has come to that */
    public void check() {
        if (interrupted) {
            throw new Interrupted();
        }
    }

    /** Executes a statement, which may be cancelled from here. Whether there are rows. */
    public boolean execute(Statement statement, String sql) throws SQLException {
        running = statement;
        try {
            check();
            return statement.execute(sql);
        } catch (SQLException e) {
            check();
            throw e;
        } finally {
            running = null;
        }
    }

    private void interrupt() {
        interrupted = true;
        worker.interrupt(); // a pause ends
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LONGEST_SECONDS);
        try {
            do {
                cancel();
            } while (!over.await(AGAIN_MILLIS, TimeUnit.MILLISECONDS) && System.nanoTime() < deadline);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void cancel() {
        Statement statement = running;
        if (statement != null) {
            try {
                statement.cancel();
            } catch (SQLException e) {
                // the server is gone, and the statement with it
            }
        }
    }

    /** The work is in order, and said what it had to say. */
    @Override
    public void close() {
        over.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException goingDown) {
            // as it should be
        }
    }
}
