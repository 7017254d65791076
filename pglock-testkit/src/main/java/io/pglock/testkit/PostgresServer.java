// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Assumptions;

/**
 * A running PostgreSQL. {@link #shared()} is the one of this JVM, chosen by system properties:
 *
 * <ul>
 *   <li>nothing: embedded binaries of the version on the class path ({@code -Dpglock.test.postgres=10} ... {@code 18} makes
 *       Maven put another one there)
 *   <li>{@code -Dpglock.test.url=jdbc:postgresql://host:port/database?user=...&password=...}: a server of your own, whose
 *       role may create databases; {@code -Dpglock.test.user} and {@code -Dpglock.test.password} keep them out of the URL
 *   <li>{@code -Dpglock.test.testcontainers=postgres:17}: that image
 * </ul>
 *
 * {@snippet :
 * try (Database database = PostgresServer.shared().createDatabase();
 *         Connection connection = database.connect()) {
 *     connection.createStatement().execute("create table orders (id int)");
 * }
 * }
 *
 * <p>This class is thread-safe.
 */
public final class PostgresServer implements AutoCloseable {
    private static final String URL = System.getProperty("pglock.test.url", "");
    private static final String IMAGE = System.getProperty("pglock.test.testcontainers", "");

    private final Endpoint endpoint;
    private final AutoCloseable process;
    private final int majorVersion;

    PostgresServer(Endpoint endpoint, AutoCloseable process) {
        this.endpoint = endpoint;
        this.process = process;
        this.majorVersion = askMajorVersion(endpoint);
    }

    /** The server of this JVM, started on first use and stopped when the JVM ends. Closing it does nothing. */
    public static PostgresServer shared() {
        return Shared.SERVER;
    }

    /**
     * A second, private server from the embedded binaries, whatever {@link #shared()} is. Close it after use.
     *
     * @param settings configuration parameters on top of the testkit's own, for example {@code deadlock_timeout}
     */
    public static PostgresServer startEmbedded(Map<String, String> settings) {
        return EmbeddedServer.start(settings);
    }

    /**
     * A private server in hot standby: read-only, in recovery until it is closed. It has no database but
     * {@link #maintenance()}, and follows nobody: for a standby of a server see {@link #startReplica()}.
     */
    public static PostgresServer startStandby() {
        return EmbeddedServer.startStandby();
    }

    /** The major version, from 10 on. */
    public int majorVersion() {
        return majorVersion;
    }

    /** The host to connect to. */
    public String host() {
        return endpoint.host();
    }

    /** The port to connect to. */
    public int port() {
        return endpoint.port();
    }

    Endpoint endpoint() {
        return endpoint;
    }

    /** A new, empty database with a unique name, copied from {@code template0}. Close it to drop it. */
    public Database createDatabase() {
        return createDatabase("template0 encoding 'UTF8'");
    }

    /** The same in another encoding, for example {@code EUC_JP}. */
    public Database createDatabaseIn(String encoding) {
        // ICU and PostgreSQL's own do not have all encodings
        String provider = majorVersion < 15 ? "" : " locale_provider 'libc'";
        return createDatabase("template0 encoding '" + encoding + "' lc_collate 'C' lc_ctype 'C'" + provider);
    }

    Database createDatabase(String template) {
        String name = "pglock_" + UUID.randomUUID().toString().replace("-", "").substring(0, 12);
        try (Connection connection = maintenance().connect();
                Statement statement = connection.createStatement()) {
            statement.execute("create database " + name + " template " + template);
        } catch (SQLException e) {
            throw new IllegalStateException("create database " + name + ": " + e.getMessage(), e);
        }
        return new Database(this, endpoint, name);
    }

    /** The database that was there before the tests ({@code postgres}, or the one of the URL). It is never dropped. */
    public Database maintenance() {
        return new Database(this, endpoint, endpoint.maintenanceDatabase());
    }

    /** Skips the test on a server older than {@code major}. */
    public void assumeAtLeast(int major) {
        Assumptions.assumeTrue(
                majorVersion >= major, () -> "needs PostgreSQL " + major + ", this one is " + majorVersion);
    }

    /** Skips the test on a server of version {@code major} or newer. */
    public void assumeBelow(int major) {
        Assumptions.assumeTrue(
                majorVersion < major, () -> "needs a PostgreSQL before " + major + ", this one is " + majorVersion);
    }

    /** Skips the test where the shared server does not see the addresses of its clients. */
    public static void assumeSeesItsClients() {
        Assumptions.assumeTrue(
                !URL.isEmpty() || IMAGE.isEmpty(), "behind a port that Docker maps nothing tells whose a session is");
    }

    /**
     * Crashes a private server, by killing one of its processes: all sessions end at once, with everything that was not
     * committed. It comes back by itself, on the same port; when this returns it takes connections again.
     */
    public void crash() {
        own();
        try (Connection killed = maintenance().connect();
                Connection witness = maintenance().connect()) {
            long pid =
                    Long.parseLong(Rows.read(killed, "select pg_backend_pid()").get(0));
            ProcessHandle.of(pid).orElseThrow().destroyForcibly();
            Await.until("the other sessions to end with it", () -> !witness.isValid(1), this::toString);
        } catch (SQLException e) {
            throw new IllegalStateException("crashing " + this + ": " + e.getMessage(), e);
        }
        awaitConnections();
    }

    /**
     * Stops a private server as if the power was cut: no session is waited for or told, no checkpoint is written.
     * Connections are refused until {@link #start()}.
     */
    public void stop() {
        own().stop();
    }

    /** Starts a private server after {@link #stop()}, with the same data on the same port. Then it takes connections. */
    public void start() {
        own().start();
        awaitConnections();
    }

    /** {@link #stop()} and {@link #start()}: what an operator does in a hurry, and a host that reboots. */
    public void restart() {
        own().start();
        awaitConnections();
    }

    /**
     * Starts a standby of this private server: a copy in hot standby that replays what is written here, by streaming
     * replication. It is a server of its own with its own port, to be closed as well.
     *
     * {@snippet :
     * try (PostgresServer primary = PostgresServer.startEmbedded(Map.of());
     *         Database orders = primary.createDatabase();
     *         PostgresServer standby = primary.startReplica()) {
     *     primary.stop();
     *     standby.promote();
     *     try (Connection connection = orders.on(standby).connect()) { ... }
     * }
     * }
     */
    public PostgresServer startReplica() {
        return own().startReplica();
    }

    /** Makes a standby of a private server a primary, on a new timeline. When this returns it takes writes. */
    public void promote() {
        own().promote();
        Await.until("the standby to take writes", () -> !isInRecovery(), this::toString);
    }

    private boolean isInRecovery() throws SQLException {
        try (Connection connection = maintenance().connect()) {
            return Rows.read(connection, "select pg_is_in_recovery()").contains("t");
        }
    }

    private EmbeddedServer own() {
        if (process instanceof EmbeddedServer embedded) {
            return embedded;
        }
        throw new IllegalStateException(this + " is shared");
    }

    private void awaitConnections() {
        Await.until("the server to take connections", this::takesConnections, this::toString);
    }

    private boolean takesConnections() {
        try (Connection connection =
                endpoint.dataSource(endpoint.maintenanceDatabase(), Map.of()).getConnection()) {
            return connection.isValid(1);
        } catch (SQLException e) {
            return false; // "the database system is in recovery mode", or starting up
        }
    }

    /** Stops a private server and deletes its data. Does nothing on the {@link #shared()} one. */
    @Override
    public void close() {
        try {
            process.close();
        } catch (Exception e) {
            throw new IllegalStateException("stopping " + this + ": " + e.getMessage(), e);
        }
    }

    @Override
    public String toString() {
        return "PostgreSQL " + majorVersion + " on " + endpoint.host() + ":" + endpoint.port();
    }

    /** The same server without the right to stop it, for the whole JVM. */
    private PostgresServer unstoppable() {
        return new PostgresServer(endpoint, () -> {});
    }

    private static int askMajorVersion(Endpoint endpoint) {
        try (Connection connection = endpoint.dataSource(endpoint.maintenanceDatabase(), Map.of())
                        .getConnection();
                Statement statement = connection.createStatement();
                ResultSet shown = statement.executeQuery("show server_version_num")) {
            shown.next();
            return shown.getInt(1) / 10_000;
        } catch (SQLException e) {
            throw new IllegalStateException(
                    "cannot connect to " + endpoint.url(endpoint.maintenanceDatabase()) + ": " + e.getMessage(), e);
        }
    }

    private static final class Shared {
        static final PostgresServer SERVER = start();

        private static PostgresServer start() {
            if (!URL.isEmpty()) {
                return new PostgresServer(Endpoint.parse(URL), () -> {});
            }
            PostgresServer started = IMAGE.isEmpty() ? EmbeddedServer.start(Map.of()) : ContainerServer.start(IMAGE);
            return started.unstoppable();
        }
    }
}
