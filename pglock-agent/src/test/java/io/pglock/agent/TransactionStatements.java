// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.execute;
import static io.pglock.agent.Readings.left;
import static io.pglock.agent.Readings.lockTimeout;
import static io.pglock.agent.Readings.sqlState;
import static io.pglock.agent.Readings.value;

import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;
import org.postgresql.copy.CopyManager;
import org.postgresql.largeobject.LargeObjectManager;

/** Every way in which the driver sends something, and every way in which a connection ends. */
final class TransactionStatements extends TransactionScene {

    TransactionStatements(Readings readings) {
        super(readings);
    }

    void all() {
        protocols();
        ends();
    }

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
        on("several in one text", "", true, connection -> {
            String insert = "insert into noted values (1, current_setting('lock_timeout'))";
            within(() -> {
                execute(connection, "set search_path = public; " + insert);
                execute(connection, "begin; " + insert + "; commit");
            });
            readings.line(
                    "several in one text",
                    value(connection, "select string_agg(setting, ' ') from noted"),
                    left(connection));
            execute(connection, "truncate noted");
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

    private void ends() {
        on("copy still open", "", true, connection -> {
            CopyIn[] open = new CopyIn[1];
            within(() -> {
                open[0] = connection.unwrap(PGConnection.class).getCopyAPI().copyIn("copy noted from stdin");
            });
            byte[] row = "1\tone\n".getBytes(StandardCharsets.UTF_8);
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
