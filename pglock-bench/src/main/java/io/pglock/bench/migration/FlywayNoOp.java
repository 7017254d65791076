// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.migration;

import io.pglock.bench.RoundTrips;
import io.pglock.bench.ScratchFolder;
import io.pglock.bench.Server;
import io.pglock.flyway.PgLockConfiguration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.TreeMap;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.configuration.FluentConfiguration;

/**
 * What pglock costs where nobody is in the way: 500 migrations with it and without it, by turns (with, without, without, with
 * ...), each run on a schema of its own; and how many round trips it adds.
 */
public final class FlywayNoOp implements PairedRuns.Work {

    private static final int MIGRATIONS = 500;

    private static final Map<String, String> SCRIPTS =
            new TreeMap<>(Map.of("select 1", "select 1;", "create table", "create table t%d (id int primary key);"));

    private final Server server;
    private final Path folder;

    private FlywayNoOp(Server server, Path folder) {
        this.server = server;
        this.folder = folder;
    }

    /** Prints both times, their ratio and the round trips, for each kind of migration. */
    public static void main(String[] arguments) throws IOException {
        try (Server server = new Server()) {
            for (Map.Entry<String, String> script : SCRIPTS.entrySet()) {
                try (var folder = ScratchFolder.create()) {
                    for (int i = 1; i <= MIGRATIONS; i++) {
                        Files.writeString(
                                folder.path().resolve("V" + i + "__no_op.sql"),
                                script.getValue().formatted(i));
                    }
                    PairedRuns.measure(script.getKey(), MIGRATIONS, new FlywayNoOp(server, folder.path()));
                }
            }
        }
    }

    @Override
    public void run(boolean guarded) {
        migrate(guarded, server.url());
    }

    @Override
    public long roundTrips(boolean guarded) {
        String separator = server.url().contains("?") ? "&" : "?";
        RoundTrips.take();
        migrate(guarded, server.url() + separator + "socketFactory=" + RoundTrips.class.getName());
        return RoundTrips.take();
    }

    private void migrate(boolean guarded, String url) {
        FluentConfiguration flyway = Flyway.configure()
                .dataSource(url, server.user(), server.password())
                .loggers("slf4j")
                .locations("filesystem:" + folder)
                .schemas("bench");
        // not enabled, its callback is not among Flyway's, as if the jar were not there
        flyway.getConfigurationExtension(PgLockConfiguration.class).setEnabled(String.valueOf(guarded));
        int migrations = flyway.load().migrate().migrationsExecuted;
        if (migrations != MIGRATIONS) {
            throw new IllegalStateException(migrations + " migrations");
        }
    }

    @Override
    public void clean() {
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("drop schema bench cascade");
        } catch (SQLException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }
}
