// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.migration;

import io.pglock.bench.Server;
import io.pglock.bench.Settings;
import io.pglock.flyway.PgLockConfiguration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.configuration.FluentConfiguration;

/** Flyway and its two migrations: a first one, which makes the table, and the one that counts. */
final class FlywayMigration implements AutoCloseable {

    private static final List<Path> NAMES = List.of(Path.of("V1__orders.sql"), Path.of("V2__note.sql"));

    private final Server server;
    private final Path folder;

    FlywayMigration(Server server) throws IOException {
        this.server = server;
        folder = Files.createTempDirectory("pglock-bench");
        Files.writeString(folder.resolve(NAMES.get(0)), """
                create table orders (id int primary key, total bigint not null);
                insert into orders select n, n from generate_series(1, 100000) n;
                """);
        Files.writeString(folder.resolve(NAMES.get(1)), "alter table orders add column note text;\n");
    }

    /** What pglock is told. */
    interface Settings {
        void set(PgLockConfiguration pglock);
    }

    /** Makes the table. */
    void prepare() {
        flyway(pglock -> pglock.setEnabled("false")).target("1").load().migrate();
    }

    /** With pglock. */
    void migrate(Settings settings) {
        flyway(settings).load().migrate();
    }

    /** Without pglock. */
    void migrateAlone() {
        migrate(pglock -> pglock.setEnabled("false"));
    }

    /**
     * Without pglock, with a {@code lock_timeout} for the session.
     *
     * @return whether it is through
     */
    boolean migrateAlone(String lockTimeout) {
        try {
            flyway(pglock -> pglock.setEnabled("false"))
                    .initSql("set lock_timeout = '" + lockTimeout + "'")
                    .load()
                    .migrate();
            return true;
        } catch (FlywayException e) {
            if (String.valueOf(e.getMessage()).contains("55P03")) {
                return false;
            }
            throw e;
        }
    }

    private FluentConfiguration flyway(Settings settings) {
        FluentConfiguration flyway = Flyway.configure()
                .dataSource(server.url(), server.user(), server.password())
                .loggers("slf4j")
                .locations("filesystem:" + folder);
        Optional.ofNullable(flyway.getConfigurationExtension(PgLockConfiguration.class))
                .ifPresent(settings::set);
        return flyway;
    }

    @Override
    public void close() throws IOException {
        for (Path name : NAMES) {
            Files.delete(folder.resolve(name));
        }
        Files.delete(folder);
    }
}
