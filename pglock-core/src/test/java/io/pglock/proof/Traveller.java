// SPDX-License-Identifier: Apache-2.0
package io.pglock.proof;

import io.pglock.LockInterruptedException;
import io.pglock.LockLostException;
import io.pglock.PgLockException;
import io.pglock.testkit.TcpProxy;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import javax.sql.DataSource;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;
import org.postgresql.jdbc.PgConnection;

/**
 * Goes into one outermost scope after another, on one connection for as long as that lives, and looks whether everything is as
 * before when it has come out: settings, locks, autocommit, transaction, savepoint.
 */
final class Traveller implements Runnable {

    /** Anything a scope could leave. */
    private static final String CONDITION = """
            select concat_ws(' | ', current_setting('lock_timeout'), current_setting('statement_timeout'),
                             current_setting('application_name'), current_setting('search_path'),
                             current_setting('idle_in_transaction_session_timeout'), 'stacks',
                             nullif(current_setting('pglock.lock_timeout', true), ''),
                             nullif(current_setting('pglock.statement_timeout', true), ''), 'locks',
                             (select string_agg(concat_ws(' ', locktype, mode, relation, classid, objid), ', '
                                                order by locktype, relation, classid, objid, mode)
                              from pg_lock_status()
                              where pid = pg_backend_pid() and (locktype = 'advisory' or relation >= 16384)), 'cursors',
                             (select string_agg(name, ', ') from pg_cursor() where name <> '')),
                   now()::text""";

    /** The lock may be held for a moment yet by the session before this one, whose network was cut. */
    private static final String ARRANGE = """
            select set_config('lock_timeout', '20s', false), case when ? then pg_advisory_lock(?) is null end,
                   set_config('lock_timeout', ?, false), set_config('statement_timeout', ?, false),
                   set_config('application_name', ?, false), set_config('search_path', ?, false)""";

    private static final String ARRANGE_LOCAL = """
            select set_config('lock_timeout', ?, true), set_config('statement_timeout', ?, true)""";

    private final ProofRun run;
    private final Walk.Surroundings around;
    private final DataSource dataSource;
    private final Optional<TcpProxy> network;
    private final int number;
    private final boolean borrows;
    private final Queue<String> wrongs;
    private final Queue<Integer> ended;
    private Optional<Connection> connection = Optional.empty();

    /**
     * @param borrows whether the connection is another one each time, from a pool
     * @param ended pids of sessions that were lost, of which none may live on
     */
    Traveller(
            int number,
            ProofRun run,
            Walk.Surroundings around,
            DataSource dataSource,
            boolean borrows,
            Optional<TcpProxy> network,
            Queue<String> wrongs,
            Queue<Integer> ended) {
        this.number = number;
        this.run = run;
        this.around = around;
        this.dataSource = dataSource;
        this.borrows = borrows;
        this.network = network;
        this.wrongs = wrongs;
        this.ended = ended;
    }

    @Override
    public void run() {
        int round = -1;
        try {
            while ((round = run.nextRound()) >= 0) {
                travel(run.random(round), round);
                run.done(around.counts());
            }
            preparedStatements();
            drop();
        } catch (Throwable e) {
            StringWriter text = new StringWriter();
            e.printStackTrace(new PrintWriter(text));
            wrongs.add("scope " + round + ": " + text);
            run.stop();
        }
    }

    private void travel(Random random, int round) throws Exception {
        if (connection.isEmpty()) {
            connection = Optional.of(dataSource.getConnection());
        }
        Connection c = connection.get();
        PgConnection physical = c.unwrap(PgConnection.class);
        int pid = physical.getBackendPID();
        try {
            Before before = arrange(c, random, round);
            Walk walk =
                    new Walk(random, c, around, new Injection.Target(physical, pid, Thread.currentThread(), network));
            Optional<Exception> failure = scope(walk);
            walk.settle();
            if (Thread.interrupted()) {
                around.counts().add("hit: interrupted in the end");
            }
            if (physical.isClosed()) {
                lost(pid);
            } else {
                examine(c, before, walk, failure, round);
            }
        } catch (SQLException e) {
            if (!isLost(e)) {
                throw e;
            }
            lost(pid);
        } catch (LockLostException e) { // in the examination: a kill that comes late
            if (!physical.isClosed()) {
                throw e;
            }
            lost(pid);
        }
        if (borrows) {
            drop();
        }
    }

    /** How it is before the outermost scope. */
    private record Before(boolean autoCommit, boolean inTransaction, String session, String local, String begun) {}

    private Before arrange(Connection c, Random random, int round) throws SQLException {
        boolean autoCommit = random.nextBoolean();
        boolean inTransaction = !autoCommit && random.nextBoolean();
        c.setAutoCommit(true);
        try (PreparedStatement statement = c.prepareStatement(ARRANGE)) {
            statement.setBoolean(1, random.nextInt(4) == 0);
            statement.setLong(2, 1_000L + number);
            statement.setString(3, (50 + random.nextInt(100)) + "ms");
            statement.setString(4, (20_000 + random.nextInt(900)) + "ms");
            statement.setString(5, "traveller " + number + " in " + round);
            statement.setString(6, random.nextBoolean() ? "public" : "public, pg_catalog");
            statement.execute();
        }
        String session = condition(c)[0];
        c.setAutoCommit(autoCommit);
        if (!inTransaction) {
            return new Before(autoCommit, false, session, "", "");
        }
        try (PreparedStatement statement = c.prepareStatement(ARRANGE_LOCAL)) {
            statement.setString(1, (200 + random.nextInt(100)) + "ms");
            statement.setString(2, (21_000 + random.nextInt(900)) + "ms");
            statement.execute();
        }
        execute(c, "savepoint mine");
        String[] local = condition(c);
        return new Before(false, true, session, local[0], local[1]);
    }

    /** What comes out of it that may. */
    private Optional<Exception> scope(Walk walk) throws Exception {
        try {
            walk.scope();
            return Optional.empty();
        } catch (LockInterruptedException e) {
            around.counts().add("hit: interrupted");
            return Optional.of(e);
        } catch (PgLockException | SQLException | Walk.Failed e) {
            around.counts().add("came out: " + e.getClass().getSimpleName());
            return Optional.of(e);
        }
    }

    private void examine(Connection c, Before before, Walk walk, Optional<Exception> failure, int round)
            throws Exception {
        TransactionState state = c.unwrap(BaseConnection.class).getTransactionState();
        String story = "scope " + round + ", " + before + ", came out with " + failure + ", in " + state + ": ";
        if (c.getAutoCommit() != before.autoCommit()) {
            wrongs.add(story + "autocommit is " + c.getAutoCommit());
        }
        if (before.autoCommit() && state != TransactionState.IDLE) {
            wrongs.add(story + "a transaction is left");
        }
        if (state == TransactionState.FAILED && !walk.mayHaveFailed()) {
            wrongs.add(story + "the transaction has failed");
        }
        if (before.inTransaction() && !walk.hasEndedTransaction()) {
            if (state == TransactionState.IDLE) {
                wrongs.add(story + "the transaction has been ended");
            }
            if (state == TransactionState.OPEN) {
                examineInside(c, before, walk, story);
            } else {
                around.counts().add("transactions failed");
            }
        }
        if (!before.autoCommit()) {
            c.rollback();
        } else if (state != TransactionState.IDLE) {
            execute(c, "rollback");
        }
        walk.closeAgain();
        c.setAutoCommit(true);
        String after = condition(c)[0];
        if (!after.equals(before.session())) {
            wrongs.add(story + "is now " + after);
            if (failure.isPresent()) {
                StringWriter text = new StringWriter();
                failure.get().printStackTrace(new PrintWriter(text));
                wrongs.add(text.toString());
            }
            run.stop();
        }
        execute(c, "select pg_advisory_unlock_all()");
        around.counts().add("as before");
        if (walk.wasInjected()) {
            around.counts().add("as before, after an injection");
        }
    }

    private void examineInside(Connection c, Before before, Walk walk, String story) throws SQLException {
        try {
            String[] local = condition(c);
            if (!settings(local[0]).equals(settings(before.local())) || !local[1].equals(before.begun())) {
                wrongs.add(story + "inside it is now " + local[0] + " of " + local[1]);
            }
            execute(c, "rollback to savepoint mine");
            local = condition(c);
            if (!settings(local[0]).equals(settings(before.local()))) {
                wrongs.add(story + "at the savepoint it is now " + local[0]);
            }
            around.counts().add("inside as before");
        } catch (SQLException e) {
            if (isLost(e) || !walk.wasInjected()) {
                throw e;
            }
            around.counts().add("cancelled while it was examined");
        }
    }

    /** Without the locks, which stay until the end of the transaction. */
    private static String settings(String condition) {
        return condition.replaceFirst(" \\| locks.*", "");
    }

    private static String[] condition(Connection c) throws SQLException {
        try (Statement statement = c.createStatement();
                ResultSet row = statement.executeQuery(CONDITION)) {
            row.next();
            return new String[] {row.getString(1), row.getString(2)};
        }
    }

    private static void execute(Connection c, String sql) throws SQLException {
        try (Statement statement = c.createStatement()) {
            statement.execute(sql);
        }
    }

    private static boolean isLost(SQLException e) {
        String state = String.valueOf(e.getSQLState());
        return state.startsWith("08") || state.startsWith("57P");
    }

    private void lost(int pid) throws SQLException {
        around.counts().add("hit: session lost");
        ended.add(pid);
        drop();
    }

    private void preparedStatements() throws SQLException {
        if (connection.isPresent() && !connection.get().isClosed()) {
            try (Statement statement = connection.get().createStatement();
                    ResultSet row = statement.executeQuery("select count(*) from pg_prepared_statements")) {
                row.next();
                if (row.getInt(1) > 300) {
                    wrongs.add(row.getInt(1) + " prepared statements on one connection");
                }
            }
        }
    }

    private void drop() throws SQLException {
        if (connection.isPresent()) {
            connection.get().close();
        }
        connection = Optional.empty();
    }
}
