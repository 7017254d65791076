// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.execute;
import static io.pglock.agent.Readings.left;
import static io.pglock.agent.Readings.lockTimeout;
import static io.pglock.agent.Readings.sqlState;
import static io.pglock.agent.Readings.value;

import io.pglock.LockPolicy;
import io.pglock.annotation.WithLockTimeout;
import io.pglock.annotation.WithPriority;
import java.io.StringReader;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;
import org.postgresql.copy.CopyManager;
import org.postgresql.largeobject.LargeObjectManager;

/**
 * An application with methods that have a timeout, and every state in which a transaction can be when they begin and end. Its
 * connections have a lock_timeout of five seconds of their own.
 */
final class Transactions {

    private static final String OWN = "&options=-c%20lock_timeout=5s";

    private final Readings readings;

    private Transactions(Readings readings) {
        this.readings = readings;
    }

    public static void main(String... arguments) throws Exception {
        Readings readings = Readings.of(arguments);
        try (Connection connection = readings.connect()) {
            execute(connection, "drop table if exists seen, noted");
            execute(connection, "create table seen (id int)");
            execute(connection, "create table noted (id int, setting text)");
        }
        Transactions all = new Transactions(readings);
        all.states();
        all.savepoints();
        all.layers();
        all.snapshots();
        all.protocols();
        all.ends();
        readings.line("armed", Readings.armed());
    }

    // ---- its methods ------------------------------------------------------------------------------------------------

    @WithLockTimeout("1111ms")
    private static void within(Readings.Work work) throws Exception {
        work.run();
    }

    @WithLockTimeout("2222ms")
    private static void longer(Readings.Work work) throws Exception {
        work.run();
    }

    @WithLockTimeout(value = "none", statementTimeout = "1333ms")
    private static void statements(Readings.Work work) throws Exception {
        work.run();
    }

    @WithLockTimeout("1111ms")
    @WithPriority(LockPolicy.Priority.TERMINATE)
    private static void prior(Readings.Work work) throws Exception {
        work.run();
    }

    // ---- in which state a transaction is
    // ------------------------------------------------------------------------------

    @FunctionalInterface
    private interface Case {
        void run(Connection connection) throws Exception;
    }

    private void on(String name, String options, boolean autoCommit, Case work) {
        readings.reading(name, () -> {
            try (Connection connection = readings.connect(OWN + options)) {
                connection.setAutoCommit(autoCommit);
                work.run(connection);
            }
        });
    }

    private void inTransaction(String name, Case work) {
        on(name, "", false, work);
    }

    private void states() {
        inTransaction("transaction already open", connection -> {
            execute(connection, "insert into seen values (0)");
            List<Object> read = new ArrayList<>();
            within(() -> read.add(lockTimeout(connection)));
            read.add(lockTimeout(connection));
            connection.rollback();
            readings.line("transaction already open", read.get(0), read.get(1), left(connection));
        });
        inTransaction("transaction begun inside", connection -> {
            List<Object> read = new ArrayList<>();
            within(() -> {
                read.add(lockTimeout(connection));
                execute(connection, "insert into seen values (0)");
            });
            read.add(lockTimeout(connection));
            connection.rollback();
            readings.line(
                    "transaction begun inside",
                    read.get(0),
                    read.get(1),
                    left(connection),
                    value(connection, "select count(*) from seen"));
        });
        on("autocommit", "", true, connection -> {
            within(() -> readings.line("autocommit", lockTimeout(connection), lockTimeout(connection)));
            readings.line("autocommit, after", left(connection));
        });
        inTransaction("transaction ended inside", connection -> {
            within(() -> {
                String first = lockTimeout(connection);
                connection.commit();
                String second = lockTimeout(connection);
                connection.rollback();
                readings.line("transaction ended inside", first, second);
            });
            readings.line("transaction ended inside, after", left(connection));
        });
        on("begin in autocommit", "", true, connection -> {
            List<Object> read = new ArrayList<>();
            within(() -> {
                execute(connection, "begin");
                read.add(lockTimeout(connection));
            });
            read.add(lockTimeout(connection));
            execute(connection, "commit");
            readings.line("begin in autocommit", read.get(0), read.get(1), left(connection));
        });
        on("read-only", "", false, connection -> {
            connection.setReadOnly(true);
            within(() -> readings.line(
                    "read-only", value(connection, "show transaction_read_only"), lockTimeout(connection)));
            readings.line("read-only, after", lockTimeout(connection), value(connection, "show transaction_read_only"));
            connection.rollback();
        });
        on("opened inside", "", true, unused -> {
            List<Connection> opened = new ArrayList<>();
            within(() -> {
                opened.add(readings.connect(OWN));
                opened.get(0).setAutoCommit(false);
                readings.line("opened inside", lockTimeout(opened.get(0)));
            });
            try (Connection connection = opened.get(0)) {
                connection.rollback();
                readings.line("opened inside, after", left(connection));
            }
        });
        on("statement timeout", "", true, connection -> {
            statements(() -> readings.line(
                    "statement timeout",
                    value(connection, "show statement_timeout"),
                    lockTimeout(connection),
                    sqlState(() -> execute(connection, "select pg_sleep(20)"))));
            readings.line("statement timeout, after", left(connection), value(connection, "show statement_timeout"));
        });
        on("not locked in time", "", true, connection -> {
            try (Connection other = readings.connect()) {
                other.setAutoCommit(false);
                execute(other, "lock table noted");
                long begun = System.nanoTime();
                within(() -> readings.line(
                        "not locked in time", sqlState(() -> execute(connection, "select * from noted"))));
                long took = (System.nanoTime() - begun) / 1_000_000;
                readings.line("not locked in time, after", took >= 1_100 && took < 4_500 ? "1.1 s" : took);
            }
        });
    }

    // ---- failures and savepoints
    // --------------------------------------------------------------------------------------

    private static void fail(Connection connection) {
        try {
            execute(connection, "select 1 / 0");
        } catch (SQLException e) {
            return;
        }
        throw new AssertionError("divided by zero");
    }

    private void savepoints() {
        inTransaction("failed, then back to a savepoint", connection -> {
            execute(connection, "insert into seen values (0)");
            Savepoint savepoint = connection.setSavepoint();
            within(() -> {
                fail(connection);
                connection.rollback(savepoint);
                readings.line("failed, then back to a savepoint", lockTimeout(connection));
            });
            readings.line("failed, then back to a savepoint, after", lockTimeout(connection));
            connection.rollback();
            readings.line("failed, then back to a savepoint, at last", left(connection));
        });
        inTransaction("back to a savepoint from before", connection -> {
            execute(connection, "savepoint before");
            within(() -> {
                String first = lockTimeout(connection);
                execute(connection, "rollback to savepoint before");
                readings.line("back to a savepoint from before", first, lockTimeout(connection));
            });
            String after = lockTimeout(connection);
            execute(connection, "rollback to savepoint before");
            readings.line("back to a savepoint from before, after", after, lockTimeout(connection));
            connection.commit();
            readings.line("back to a savepoint from before, at last", left(connection));
        });
        inTransaction("back to a savepoint from inside", connection -> {
            Savepoint[] inside = new Savepoint[1];
            within(() -> {
                execute(connection, "insert into seen values (0)");
                inside[0] = connection.setSavepoint();
            });
            String after = lockTimeout(connection);
            connection.rollback(inside[0]);
            String back = lockTimeout(connection);
            connection.rollback();
            readings.line("back to a savepoint from inside", after, back, left(connection));
        });
        inTransaction("ended failed, goes on", connection -> {
            execute(connection, "insert into seen values (0)");
            Savepoint savepoint = connection.setSavepoint();
            within(() -> {
                lockTimeout(connection);
                fail(connection);
            });
            connection.rollback(savepoint);
            String goesOn = lockTimeout(connection);
            connection.rollback();
            readings.line("ended failed, goes on", goesOn, left(connection));
        });
        inTransaction("ended failed, its own savepoint", connection -> {
            Savepoint[] inside = new Savepoint[1];
            within(() -> {
                lockTimeout(connection);
                inside[0] = connection.setSavepoint();
                fail(connection);
            });
            connection.rollback(inside[0]);
            String goesOn = lockTimeout(connection);
            connection.commit();
            readings.line("ended failed, its own savepoint", goesOn, left(connection));
        });
        inTransaction("ended failed, rolled back", connection -> {
            within(() -> {
                lockTimeout(connection);
                fail(connection);
            });
            connection.rollback();
            readings.line("ended failed, rolled back", left(connection));
        });
        on("autosave=always", "&autosave=always", false, connection -> {
            within(() -> {
                String first = lockTimeout(connection);
                fail(connection);
                readings.line("autosave=always", first, lockTimeout(connection));
            });
            String after = lockTimeout(connection);
            connection.rollback();
            readings.line("autosave=always, after", after, left(connection));
        });
    }

    // ---- settings on settings
    // -----------------------------------------------------------------------------------------

    private void layers() {
        on("session, then transaction", "", true, connection -> {
            within(() -> {
                String session = lockTimeout(connection);
                connection.setAutoCommit(false);
                readings.line("session, then transaction", session, lockTimeout(connection));
                execute(connection, "insert into seen values (0)");
            });
            String open = lockTimeout(connection);
            connection.rollback();
            connection.setAutoCommit(true);
            readings.line("session, then transaction, after", open, lockTimeout(connection), left(connection));
        });
        on("session, then transaction that failed", "", true, connection -> {
            within(() -> {
                lockTimeout(connection);
                connection.setAutoCommit(false);
                fail(connection);
            });
            connection.rollback();
            readings.line("session, then transaction that failed", lockTimeout(connection));
            connection.rollback();
            readings.line("session, then transaction that failed, after", left(connection));
        });
        on("session, then transaction that goes on without a statement", "", true, connection -> {
            within(() -> {
                lockTimeout(connection);
                connection.setAutoCommit(false);
                execute(connection, "insert into seen values (0)");
            });
            connection.rollback();
            readings.line(
                    "session, then transaction that goes on without a statement",
                    lockTimeout(connection),
                    value(connection, "select count(*) from seen"));
            connection.rollback();
            readings.line("session, then transaction that goes on without a statement, after", left(connection));
        });
        inTransaction("nested in a transaction", connection -> {
            List<Object> read = new ArrayList<>();
            within(() -> {
                read.add(lockTimeout(connection));
                longer(() -> read.add(lockTimeout(connection)));
                read.add(lockTimeout(connection));
                statements(() -> {
                    read.add(lockTimeout(connection));
                    read.add(value(connection, "show statement_timeout"));
                });
                read.add(value(connection, "show statement_timeout"));
            });
            read.add(lockTimeout(connection));
            connection.rollback();
            readings.line("nested in a transaction", read.toArray());
            readings.line("nested in a transaction, after", left(connection));
        });
        on("nested in autocommit", "", true, connection -> {
            List<Object> read = new ArrayList<>();
            within(() -> {
                longer(() -> read.add(lockTimeout(connection)));
                read.add(lockTimeout(connection));
                longer(() -> read.add("none"));
                read.add(lockTimeout(connection));
            });
            readings.line("nested in autocommit", read.get(0), read.get(1), read.get(2), read.get(3));
            readings.line("nested in autocommit, after", left(connection));
        });
        on("the application's own", "", true, connection -> {
            within(() -> {
                String ours = lockTimeout(connection);
                execute(connection, "set lock_timeout = '9s'");
                readings.line("the application's own", ours, lockTimeout(connection));
            });
            readings.line("the application's own, after", left(connection));
        });
        inTransaction("the application's own in a transaction", connection -> {
            within(() -> {
                String ours = lockTimeout(connection);
                execute(connection, "set local lock_timeout = '9s'");
                readings.line("the application's own in a transaction", ours, lockTimeout(connection));
            });
            String after = lockTimeout(connection);
            connection.commit();
            readings.line("the application's own in a transaction, after", after, left(connection));
        });
        inTransaction("the application's own in one transaction", connection -> {
            within(() -> {
                execute(connection, "set local lock_timeout = '9s'");
                String first = lockTimeout(connection);
                connection.commit();
                readings.line("the application's own in one transaction", first, lockTimeout(connection));
            });
            connection.commit();
        });
        on("the application's own, reset", "", true, connection -> {
            within(() -> {
                lockTimeout(connection);
                execute(connection, "set lock_timeout = '9s'");
                execute(connection, "reset lock_timeout");
                readings.line("the application's own, reset", lockTimeout(connection));
            });
            readings.line("the application's own, reset, after", left(connection));
            within(() -> readings.line("the application's own, reset, next", lockTimeout(connection)));
        });
    }

    // ---- what a transaction sees
    // --------------------------------------------------------------------------------------

    /** How many rows it sees that were committed after its first statement. */
    private String seenAfter(Connection connection, String first) throws SQLException {
        try (Connection other = readings.connect()) {
            execute(other, "truncate seen");
            execute(connection, first);
            execute(other, "insert into seen values (1)");
        }
        return value(connection, "select count(*) from seen");
    }

    private void snapshot(String name, int isolation, Scoped scope) {
        inTransaction(name, connection -> {
            scope.run(() -> {
                connection.setTransactionIsolation(isolation);
                String locked = seenAfter(connection, "lock table seen in access share mode");
                connection.rollback();
                String frozen = seenAfter(connection, "select count(*) from noted");
                readings.line(name, locked, frozen, lockTimeout(connection));
                connection.rollback();
            });
            readings.line(name + ", after", left(connection));
        });
    }

    @FunctionalInterface
    private interface Scoped {
        void run(Readings.Work work) throws Exception;
    }

    private void snapshots() {
        snapshot("repeatable read", Connection.TRANSACTION_REPEATABLE_READ, Transactions::within);
        snapshot("serializable", Connection.TRANSACTION_SERIALIZABLE, Transactions::within);
        snapshot("repeatable read, prior", Connection.TRANSACTION_REPEATABLE_READ, Transactions::prior);
        snapshot("serializable, prior", Connection.TRANSACTION_SERIALIZABLE, Transactions::prior);
        inTransaction("set transaction", connection -> {
            prior(() -> {
                execute(connection, "set transaction isolation level serializable, read only, deferrable");
                readings.line(
                        "set transaction",
                        value(connection, "show transaction_isolation"),
                        value(connection, "show transaction_deferrable"),
                        lockTimeout(connection));
            });
            connection.rollback();
        });
        inTransaction("repeatable read, already open", connection -> {
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            execute(connection, "savepoint before");
            prior(() -> readings.line(
                    "repeatable read, already open",
                    seenAfter(connection, "lock table seen in access share mode"),
                    lockTimeout(connection)));
            connection.rollback();
        });
    }

    // ---- the ways of the driver
    // ---------------------------------------------------------------------------------------

    private void protocols() {
        on("batch", "", true, connection -> {
            within(() -> {
                try (PreparedStatement insert =
                        connection.prepareStatement("insert into noted values (?, current_setting('lock_timeout'))")) {
                    for (int i = 1; i <= 3; i++) {
                        insert.setInt(1, i);
                        insert.addBatch();
                    }
                    insert.executeBatch();
                }
                try (Statement batch = connection.createStatement()) {
                    batch.addBatch("insert into noted values (4, current_setting('lock_timeout'))");
                    batch.addBatch("insert into noted values (5, current_setting('lock_timeout'))");
                    batch.executeBatch();
                }
            });
            readings.line(
                    "batch",
                    left(connection),
                    value(connection, "select string_agg(id || '=' || setting, ' ' order by id) from noted"));
            execute(connection, "truncate noted");
        });
        inTransaction("batch in a transaction", connection -> {
            within(() -> {
                try (PreparedStatement insert =
                        connection.prepareStatement("insert into noted values (?, current_setting('lock_timeout'))")) {
                    for (int i = 1; i <= 2; i++) {
                        insert.setInt(1, i);
                        insert.addBatch();
                    }
                    insert.executeBatch();
                }
            });
            readings.line(
                    "batch in a transaction",
                    lockTimeout(connection),
                    value(connection, "select string_agg(id || '=' || setting, ' ' order by id) from noted"));
            connection.rollback();
        });
        inTransaction("cursor", connection -> {
            List<ResultSet> open = new ArrayList<>();
            StringBuilder read = new StringBuilder();
            within(() -> {
                Statement statement = connection.createStatement();
                statement.setFetchSize(2);
                ResultSet rows = statement.executeQuery(
                        "select n || '=' || current_setting('lock_timeout') from generate_series(1, 6) n");
                for (int i = 0; i < 3; i++) {
                    rows.next();
                    read.append(' ').append(rows.getString(1));
                }
                open.add(rows);
            });
            String after = lockTimeout(connection);
            while (open.get(0).next()) {
                read.append(' ').append(open.get(0).getString(1));
            }
            connection.rollback();
            readings.line("cursor", after, left(connection) + read);
        });
        on("simple protocol", "&preferQueryMode=simple", false, connection -> {
            within(() -> readings.line("simple protocol", lockTimeout(connection)));
            String after = lockTimeout(connection);
            connection.commit();
            readings.line("simple protocol, after", after, left(connection));
        });
        on("server-prepared", "&prepareThreshold=-1", true, connection -> {
            List<Object> read = new ArrayList<>();
            try (PreparedStatement setting =
                    connection.prepareStatement("select current_setting('lock_timeout') where ? > 0")) {
                for (int i = 0; i < 2; i++) {
                    within(() -> read.add(only(setting)));
                    read.add(only(setting));
                }
            }
            readings.line("server-prepared", read.get(0), read.get(1), read.get(2), read.get(3));
        });
        inTransaction("large object", connection -> {
            LargeObjectManager objects = connection.unwrap(PGConnection.class).getLargeObjectAPI();
            long object = objects.createLO();
            connection.commit();
            try (Connection other = readings.connect()) {
                other.setAutoCommit(false);
                execute(other, "select lo_unlink(" + object + ")");
                within(() -> readings.line("large object", sqlState(() -> objects.delete(object))));
            }
            connection.rollback();
            readings.line("large object, after", left(connection));
            objects.delete(object);
            connection.commit();
        });
        on("copy", "", true, connection -> {
            CopyManager copying = connection.unwrap(PGConnection.class).getCopyAPI();
            try (Connection other = readings.connect()) {
                other.setAutoCommit(false);
                execute(other, "lock table noted");
                within(() -> readings.line(
                        "copy", sqlState(() -> copying.copyIn("copy noted from stdin", new StringReader("1\tone\n")))));
            }
            readings.line("copy, after", left(connection));
        });
    }

    private static String only(PreparedStatement setting) throws SQLException {
        setting.setInt(1, 1);
        try (ResultSet row = setting.executeQuery()) {
            row.next();
            return row.getString(1);
        }
    }

    // ---- how it ends
    // --------------------------------------------------------------------------------------------------

    private void ends() {
        on("copy still open", "", true, connection -> {
            CopyIn[] open = new CopyIn[1];
            within(() -> {
                open[0] = connection.unwrap(PGConnection.class).getCopyAPI().copyIn("copy noted from stdin");
            });
            byte[] row = "1\tone\n".getBytes(java.nio.charset.StandardCharsets.UTF_8);
            open[0].writeToCopy(row, 0, row.length);
            long copied = open[0].endCopy();
            String first = lockTimeout(connection);
            readings.line("copy still open", copied, first, left(connection));
            execute(connection, "truncate noted");
        });
        on("copy still open in a transaction", "", false, connection -> {
            CopyIn[] open = new CopyIn[1];
            within(() -> {
                open[0] = connection.unwrap(PGConnection.class).getCopyAPI().copyIn("copy noted from stdin");
            });
            long copied = open[0].endCopy();
            String first = lockTimeout(connection);
            connection.rollback();
            readings.line("copy still open in a transaction", copied, first, left(connection));
        });
        on("closed inside", "", true, connection -> {
            within(() -> {
                lockTimeout(connection);
                connection.close();
            });
            readings.line("closed inside", "armed", Readings.armed());
        });
        on("terminated inside", "", false, connection -> {
            String failure = sqlState(() -> within(() -> {
                String pid = value(connection, "select pg_backend_pid()");
                try (Connection other = readings.connect()) {
                    execute(other, "select pg_terminate_backend(" + pid + ")");
                }
                execute(connection, "select count(*) from seen");
            }));
            readings.line("terminated inside", failure, "armed", Readings.armed());
        });
        on("terminated inside, not noticed", "", true, connection -> {
            within(() -> {
                String pid = value(connection, "select pg_backend_pid()");
                try (Connection other = readings.connect()) {
                    execute(other, "select pg_terminate_backend(" + pid + ")");
                }
            });
            readings.line("terminated inside, not noticed", "armed", Readings.armed());
        });
        on("throws", "", true, connection -> {
            try {
                within(() -> {
                    lockTimeout(connection);
                    throw new IllegalStateException("the application's");
                });
            } catch (IllegalStateException e) {
                readings.line("throws", e.getMessage(), left(connection));
            }
        });
        readings.reading("the role's and the database's own", () -> {
            try (Connection connection = readings.connect()) {
                execute(
                        connection,
                        "do $$ begin execute format('alter role %I in database %I set lock_timeout = ''7s''',"
                                + " current_user, current_database()); end $$");
            }
            try (Connection connection = readings.connect()) {
                within(() -> readings.line("the role's and the database's own", lockTimeout(connection)));
                readings.line("the role's and the database's own, after", left(connection));
            }
            try (Connection connection = readings.connect()) {
                execute(
                        connection,
                        "do $$ begin execute format('alter role %I in database %I reset lock_timeout',"
                                + " current_user, current_database()); end $$");
            }
        });
    }
}
