// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import static com.acme.weaving.Db.lockTimeout;
import static com.acme.weaving.Db.say;

import io.pglock.LockPolicy.Priority;
import io.pglock.LockTimeoutException;
import io.pglock.annotation.OnTimeout;
import io.pglock.annotation.WithAdvisoryLock;
import io.pglock.annotation.WithLockTimeout;
import io.pglock.annotation.WithPriority;
import io.pglock.annotation.WithTableLock;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.springframework.scheduling.annotation.Async;

/** An application whose methods carry pglock's annotations. */
public final class Annotated {

    private static final String HELD = "select count(*) from pg_locks where locktype = 'advisory' and granted";

    private static Connection other;

    private Annotated() {}

    public static void main(String[] arguments) throws Exception {
        Db.open(arguments);
        other = Db.another();
        Annotated it = new Annotated();
        say("lock timeout", it.timeout());
        say("statement timeout", it.statementTimeout());
        say("advisory", it.advisory());
        say("advisory afterwards", Db.ask(other, HELD));
        say("table", it.table());
        say("priority", it.priority());
        say("several", it.several());
        say("nested", it.outer());
        say("configured differently", it.configured());
        say("generic", ((Step<String>) new Text()).run("x"));
        say("default", new Step<String>() {}.byDefault());
        say("afterwards", lockTimeout());
        it.somebodyElseHasIt();
        say("at the end", lockTimeout());
        say("done", "");
    }

    @WithLockTimeout("1s")
    private String timeout() {
        return lockTimeout();
    }

    @WithLockTimeout(value = "none", statementTimeout = "77s")
    private String statementTimeout() throws SQLException {
        return Db.current("statement_timeout");
    }

    @WithAdvisoryLock
    private String advisory() throws SQLException {
        return lockTimeout() + " " + Db.ask(other, HELD);
    }

    private String table() throws SQLException {
        Db.run("create table if not exists ledger (a int)");
        return Db.inTransaction(this::locked);
    }

    @WithTableLock("ledger")
    private String locked() throws SQLException {
        Db.run("select 1 from ledger");
        // On a thread that is in no method: in this one the other connection would need the lock, too.
        return CompletableFuture.supplyAsync(Annotated::elsewhere, task -> new Thread(task, "elsewhere").start())
                .join();
    }

    private static String elsewhere() {
        try {
            return lockedElsewhere();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String lockedElsewhere() throws SQLException {
        try {
            Db.run(other, "begin; lock table ledger in access share mode nowait");
            return "free";
        } catch (SQLException e) {
            return e.getSQLState();
        } finally {
            Db.run(other, "rollback");
        }
    }

    @WithPriority(Priority.TERMINATE)
    private String priority() {
        return lockTimeout();
    }

    @WithLockTimeout("2s")
    @WithAdvisoryLock("8")
    @WithPriority(Priority.CANCEL)
    private String several() throws SQLException {
        return lockTimeout() + " " + Db.ask(other, HELD);
    }

    @WithLockTimeout("4s")
    private String outer() {
        return lockTimeout() + " " + inner() + " " + innermost() + " " + lockTimeout();
    }

    @WithAdvisoryLock("9")
    private String inner() {
        return lockTimeout();
    }

    @WithLockTimeout("5s")
    private static String innermost() {
        return lockTimeout();
    }

    @WithLockTimeout("3s")
    private String configured() {
        return lockTimeout();
    }

    private interface Step<T> {
        default String run(T value) {
            return value.toString();
        }

        @WithLockTimeout("6s")
        default String byDefault() {
            return lockTimeout();
        }
    }

    /** The compiler copies the annotation to the bridge. */
    private static final class Text implements Step<String> {
        private int calls;

        @Override
        @WithAdvisoryLock("10")
        public String run(String value) {
            calls++;
            return calls + value;
        }
    }

    private void somebodyElseHasIt() throws SQLException, InterruptedException, ExecutionException {
        Db.run(other, "select pg_advisory_lock(7)");
        say("skipped int", number());
        say("skipped Optional", optional());
        say("skipped future", future().get());
        try {
            raises();
            say("raised", "nothing");
        } catch (LockTimeoutException e) {
            say("raised", "the application's own");
        }
    }

    @WithAdvisoryLock(value = "7", timeout = "0s", onTimeout = OnTimeout.SKIP, skipValue = "42")
    private int number() {
        return 1;
    }

    @WithAdvisoryLock(value = "7", timeout = "10ms", onTimeout = OnTimeout.SKIP)
    private Optional<String> optional() {
        return Optional.of("ran");
    }

    @Async
    @WithAdvisoryLock(value = "7", timeout = "0s", onTimeout = OnTimeout.SKIP)
    CompletableFuture<String> future() {
        return CompletableFuture.completedFuture("ran");
    }

    @WithAdvisoryLock(value = "7", timeout = "0s")
    private void raises() {
        say("raises", "ran");
    }
}
