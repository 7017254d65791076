// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.execute;
import static io.pglock.agent.Readings.left;
import static io.pglock.agent.Readings.lockTimeout;
import static io.pglock.agent.Readings.value;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Settings on settings, and what a transaction sees that has got some. */
final class TransactionSettings extends TransactionScene {

    TransactionSettings(Readings readings) {
        super(readings);
    }

    void all() {
        layers();
        ownAfterOurs();
        putBackByTheApplication();
        snapshots();
    }

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
        on("nested, used by the inner one", "", true, connection -> {
            List<Object> read = new ArrayList<>();
            within(() -> longer(() -> read.add(lockTimeout(connection))));
            readings.line("nested, used by the inner one", read.get(0), left(connection));
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

    /** Where the agent has set it for the session before: that is put back unless what the application sets lasts. */
    private void ownAfterOurs() {
        ownAfterOurs("after ours, local", "set local lock_timeout = '9s'", true);
        ownAfterOurs("after ours, rolled back", "set lock_timeout = '9s'", false);
        ownAfterOurs("after ours, back to a savepoint", "savepoint s; set lock_timeout = '9s'; rollback to s", true);
        ownAfterOurs("after ours, committed", "set lock_timeout = '9s'", true);
        ownAfterOurs("after ours, another's", "set deadlock_timeout = '2s'", true);
        on("after ours, local and still open", "", true, connection -> {
            within(() -> {
                lockTimeout(connection);
                connection.setAutoCommit(false);
                execute(connection, "set local lock_timeout = '9s'");
            });
            String open = lockTimeout(connection);
            connection.commit();
            connection.setAutoCommit(true);
            readings.line("after ours, local and still open", open, lockTimeout(connection), left(connection));
        });
        on("the application's own with work in one text", "", true, connection -> {
            within(() -> {
                execute(
                        connection,
                        "set lock_timeout = '9s'; insert into noted values (1, current_setting('lock_timeout'))");
                readings.line(
                        "the application's own with work in one text",
                        lockTimeout(connection),
                        value(connection, "select setting from noted"));
            });
            readings.line("the application's own with work in one text, after", left(connection));
            execute(connection, "truncate noted");
        });
    }

    private void ownAfterOurs(String name, String sql, boolean commits) {
        on(name, "", true, connection -> {
            List<Object> read = new ArrayList<>();
            within(() -> {
                read.add(lockTimeout(connection));
                connection.setAutoCommit(false);
                execute(connection, sql);
                read.add(lockTimeout(connection));
                if (commits) {
                    connection.commit();
                } else {
                    connection.rollback();
                }
                connection.setAutoCommit(true);
            });
            readings.line(name, read.get(0), read.get(1), left(connection));
        });
    }

    /** What it had been told is ours, and not what was there before. */
    private void putBackByTheApplication() {
        on("told and put back", "", true, connection -> {
            List<Object> read = new ArrayList<>();
            within(() -> putBack(connection, "show lock_timeout", read));
            readings.line("told and put back", read.get(0), read.get(1), left(connection));
        });
        on("told and put back, in a query", "", true, connection -> {
            List<Object> read = new ArrayList<>();
            within(() -> {
                putBack(connection, "select setting || unit from pg_settings where name = 'lock_timeout'", read);
                read.add(lockTimeout(connection));
            });
            readings.line("told and put back, in a query", read.get(0), read.get(1), read.get(2), left(connection));
        });
        inTransaction("told and put back, in a transaction", connection -> {
            List<Object> read = new ArrayList<>();
            within(() -> {
                putBack(connection, "show lock_timeout", read);
                connection.commit();
            });
            readings.line("told and put back, in a transaction", read.get(0), read.get(1), left(connection));
        });
        inTransaction("told and put back, still open", connection -> {
            List<Object> read = new ArrayList<>();
            within(() -> putBack(connection, "show lock_timeout", read));
            connection.commit();
            readings.line("told and put back, still open", lockTimeout(connection));
            connection.commit();
            readings.line("told and put back, still open, after", left(connection));
        });
        inTransaction("told and put back, rolled back", connection -> {
            List<Object> read = new ArrayList<>();
            within(() -> putBack(connection, "show lock_timeout", read));
            connection.rollback();
            readings.line("told and put back, rolled back", lockTimeout(connection));
            connection.rollback();
            readings.line("told and put back, rolled back, after", left(connection));
        });
        inTheCallersTransaction("told and put back, before the commit", "set");
        inTheCallersTransaction("told and put back, local", "set local");
        inTransaction("told and put back, local and nested", connection -> {
            List<Object> read = new ArrayList<>();
            longer(() -> {
                execute(connection, "select count(*) from seen");
                within(() -> putBack(connection, "set local", "show lock_timeout", read));
                read.add(lockTimeout(connection));
            });
            read.add(lockTimeout(connection));
            connection.commit();
            readings.line("told and put back, local and nested", read.get(2), read.get(3), left(connection));
        });
        inTransaction("told and set otherwise, local", connection -> {
            within(() -> {
                lockTimeout(connection);
                execute(connection, "set local lock_timeout = '9s'");
            });
            String open = lockTimeout(connection);
            connection.commit();
            readings.line("told and set otherwise, local", open, left(connection));
        });
        inTransaction("told and put back, local and back to a savepoint", connection -> {
            within(() -> {
                lockTimeout(connection);
                execute(connection, "savepoint before");
                execute(connection, "set local lock_timeout = '9s'");
                fail(connection);
            });
            execute(connection, "rollback to savepoint before");
            String open = lockTimeout(connection);
            connection.commit();
            readings.line("told and put back, local and back to a savepoint", open, left(connection));
        });
        on("told and put back, nested", "", true, connection -> {
            List<Object> read = new ArrayList<>();
            longer(() -> {
                within(() -> putBack(connection, "show lock_timeout", read));
                read.add(lockTimeout(connection));
            });
            readings.line("told and put back, nested", read.get(0), read.get(1), read.get(2), left(connection));
        });
        on("told and set otherwise", "", true, connection -> {
            within(() -> {
                lockTimeout(connection);
                execute(connection, "set lock_timeout = '9s'");
            });
            within(() -> {
                execute(connection, "select count(*) from seen");
                execute(connection, "set lock_timeout = '1111ms'");
            });
            readings.line("told and set otherwise", left(connection));
        });
    }

    /** As Hibernate does around a query that has a timeout of its own. */
    private void inTheCallersTransaction(String name, String set) {
        inTransaction(name, connection -> {
            List<Object> read = new ArrayList<>();
            execute(connection, "select count(*) from seen");
            within(() -> putBack(connection, set, "select current_setting('lock_timeout', true)", read));
            read.add(lockTimeout(connection));
            connection.commit();
            read.add(lockTimeout(connection));
            connection.commit();
            readings.line(name, read.get(0), read.get(1), read.get(2), read.get(3), left(connection));
        });
    }

    private static void putBack(Connection connection, String ask, List<Object> read) throws SQLException {
        putBack(connection, "set", ask, read);
    }

    private static void putBack(Connection connection, String set, String ask, List<Object> read) throws SQLException {
        String told = value(connection, ask);
        execute(connection, set + " lock_timeout = '9s'");
        read.add(told);
        read.add(lockTimeout(connection));
        execute(connection, set + " lock_timeout = '" + told + "'");
    }

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
        snapshot("repeatable read", Connection.TRANSACTION_REPEATABLE_READ, TransactionScene::within);
        snapshot("serializable", Connection.TRANSACTION_SERIALIZABLE, TransactionScene::within);
        snapshot("repeatable read, prior", Connection.TRANSACTION_REPEATABLE_READ, TransactionScene::prior);
        snapshot("serializable, prior", Connection.TRANSACTION_SERIALIZABLE, TransactionScene::prior);
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
}
