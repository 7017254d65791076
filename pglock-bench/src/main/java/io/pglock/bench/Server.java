// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.TcpProxy;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;

/** A database of the PostgreSQL that is measured against: the tests' own, so chosen by the same properties. */
public final class Server implements AutoCloseable {

    /** What the tests do without, for speed. */
    private static final Map<String, String> AS_SHIPPED =
            Map.of("fsync", "on", "synchronous_commit", "on", "full_page_writes", "on");

    private final PostgresServer server;
    private final Database database;

    public Server() {
        this(PostgresServer.shared());
    }

    private Server(PostgresServer server) {
        this.server = server;
        this.database = server.createDatabase();
    }

    /** A server of its own that keeps what was committed, as PostgreSQL does by default: for peers that write rows. */
    public static Server asShipped() {
        return new Server(PostgresServer.startEmbedded(AS_SHIPPED));
    }

    public Connection connect() {
        return database.connect();
    }

    /** A session of that name. */
    public Connection connect(String applicationName) {
        return database.connect(applicationName);
    }

    public String url() {
        return database.url();
    }

    public String user() {
        return database.user();
    }

    public String password() {
        return database.password();
    }

    public DataSource dataSource() {
        return database.dataSource();
    }

    /** Transactions of this database that have ended, as far as their sessions have reported them. */
    public long transactions(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()")) {
            row.next();
            return row.getLong(1);
        }
    }

    /** Another JVM; the first arguments of its {@code main} are URL, user and password. */
    public ForkedJvm.Launch running(Class<?> main, String... more) {
        return ForkedJvm.running(main).database(database).arguments(more);
    }

    /** Something of ours in front of it. */
    public TcpProxy proxy() {
        return TcpProxy.to(server.host(), server.port());
    }

    /** The same database, reached through that. */
    public DataSource dataSource(TcpProxy proxy) {
        return proxy.dataSource(database);
    }

    /** A setting as {@code show} has it, {@code server_version} for example. */
    public static String show(Connection connection, String setting) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("show " + setting)) {
            row.next();
            return row.getString(1);
        }
    }

    /** The processes that serve this database's other sessions. */
    public static List<Long> backends(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row =
                        statement.executeQuery("select pid from pg_stat_activity where datname = current_database()"
                                + " and pid <> pg_backend_pid() and backend_type = 'client backend'")) {
            List<Long> pids = new ArrayList<>();
            while (row.next()) {
                pids.add(row.getLong(1));
            }
            return pids;
        }
    }

    /** How many advisory locks are held in this database. */
    public static int advisoryLocks(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row =
                        statement.executeQuery("select count(*) from pg_locks where locktype = 'advisory' and granted"
                                + " and database = (select oid from pg_database where datname = current_database())")) {
            row.next();
            return row.getInt(1);
        }
    }

    @Override
    public void close() {
        database.close();
        server.close();
    }
}
