// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.execute;
import static io.pglock.agent.Readings.left;
import static io.pglock.agent.Readings.lockTimeout;
import static io.pglock.agent.Readings.sqlState;
import static io.pglock.agent.Readings.value;

import java.sql.Connection;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.List;

/** In which state a transaction is when a method begins and ends, and what failures and savepoints make of it. */
final class TransactionStates extends TransactionScene {

    TransactionStates(Readings readings) {
        super(readings);
    }

    void all() {
        states();
        savepoints();
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
}
