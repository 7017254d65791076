// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.postgresql.PGProperty;

/**
 * One database on a {@link PostgresServer}. Every connection it gives is new and belongs to the caller.
 *
 * <p>This class is thread-safe.
 */
public final class Database implements AutoCloseable {
    /** Another session is using the database: it was told to end and has not yet. */
    private static final String OBJECT_IN_USE = "55006";

    private static final String INVALID_CATALOG_NAME = "3D000";

    private final PostgresServer server;
    private final Endpoint endpoint;
    private final String name;

    Database(PostgresServer server, Endpoint endpoint, String name) {
        this.server = server;
        this.endpoint = endpoint;
        this.name = name;
    }

    /** The name of the database, which needs no quotes. */
    public String name() {
        return name;
    }

    /** The JDBC URL, without user and password. */
    public String url() {
        return endpoint.url(name);
    }

    /** The role to connect as: a superuser, unless the tests run on a URL with another one. */
    public String user() {
        return endpoint.user();
    }

    /** The password of {@link #user()}, possibly empty. */
    public String password() {
        return endpoint.password();
    }

    /** The server it is on. */
    public PostgresServer server() {
        return server;
    }

    /** A plain source: no pool, a new physical connection each time. */
    public DataSource dataSource() {
        return dataSource(Map.of());
    }

    /** A plain source whose sessions carry an application name. */
    public DataSource dataSource(String applicationName) {
        return dataSource(Map.of(PGProperty.APPLICATION_NAME, applicationName));
    }

    DataSource dataSource(Map<PGProperty, String> properties) {
        return endpoint.dataSource(name, properties);
    }

    /** A new connection in autocommit. */
    public Connection connect() {
        return connect(Map.of());
    }

    /** A new connection in autocommit whose session carries an application name. */
    public Connection connect(String applicationName) {
        return connect(Map.of(PGProperty.APPLICATION_NAME, applicationName));
    }

    Connection connect(Map<PGProperty, String> properties) {
        try {
            return dataSource(properties).getConnection();
        } catch (SQLException e) {
            throw new IllegalStateException("connecting to " + url() + " as " + user() + ": " + e.getMessage(), e);
        }
    }

    /** The database of the same name on another server, which is its standby or was: see {@link PostgresServer#startReplica()}. */
    public Database on(PostgresServer other) {
        return new Database(other, other.endpoint(), name);
    }

    /** The same database through something in front of the server. */
    Database through(String host, int port) {
        return new Database(server, endpoint.through(host, port), name);
    }

    /** A new database on the same server, with what is in this one, OIDs included. Nobody may be connected to this one. */
    public Database copy() {
        return server.createDatabase(name);
    }

    Database as(String role, String password) {
        return new Database(server, endpoint.as(role, password), name);
    }

    /**
     * Drops the database with everything that is still going on in it: sessions are terminated, prepared transactions rolled
     * back. Does nothing when it is gone already, or for {@link PostgresServer#maintenance()}.
     */
    public void drop() {
        if (name.equals(endpoint.maintenanceDatabase())) {
            return;
        }
        try (Connection admin = server.maintenance().connect()) {
            rollbackPrepared(admin);
            Await.until(
                    "database " + name + " to be dropped",
                    () -> terminateAndDrop(admin),
                    () -> "sessions in it: "
                            + Rows.read(admin, "select * from pg_stat_activity where datname = ?", name));
        } catch (SQLException e) {
            throw new IllegalStateException("drop database " + name + ": " + e.getMessage(), e);
        }
    }

    private void rollbackPrepared(Connection admin) throws SQLException {
        List<String> prepared = Rows.read(admin, "select gid from pg_prepared_xacts where database = ?", name);
        if (!prepared.isEmpty()) {
            // Only possible from a session in the same database.
            try (Connection inside = connect()) {
                rollback(inside, prepared);
            }
        }
    }

    static void rollback(Connection inside, List<String> prepared) throws SQLException {
        try (Statement statement = inside.createStatement()) {
            for (String gid : new ArrayList<>(prepared)) {
                statement.execute("rollback prepared '" + gid.replace("'", "''") + "'");
            }
        }
    }

    /** Autovacuum, which has no user, gives way to the drop by itself, and only a superuser may terminate it. */
    private boolean terminateAndDrop(Connection admin) throws SQLException {
        try (Statement statement = admin.createStatement();
                ResultSet terminated = statement.executeQuery(
                        "select pg_terminate_backend(pid) from pg_stat_activity where usename is not null and datname = '"
                                + name + "'")) {
            while (terminated.next()) {
                terminated.getBoolean(1);
            }
        }
        try (Statement statement = admin.createStatement()) {
            statement.execute("drop database if exists " + name);
            return true;
        } catch (SQLException e) {
            if (OBJECT_IN_USE.equals(e.getSQLState())) {
                return false;
            }
            if (INVALID_CATALOG_NAME.equals(e.getSQLState())) {
                return true;
            }
            throw e;
        }
    }

    /** Same as {@link #drop()}. */
    @Override
    public void close() {
        drop();
    }

    @Override
    public String toString() {
        return url();
    }
}
