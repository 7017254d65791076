// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.migration;

import io.pglock.bench.ScratchFolder;
import io.pglock.bench.Server;
import io.pglock.bench.Settings;
import io.pglock.flyway.PgLockConfiguration;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.configuration.FluentConfiguration;

/** Flyway and its two migrations: a first one, which makes the table, and the one that counts. */
final class FlywayMigration implements AutoCloseable {

    private final Server server;
    private final ScratchFolder scratch;

    FlywayMigration(Server server) throws IOException {
        this.server = server;
        scratch = ScratchFolder.create();
        Files.writeString(scratch.path().resolve("V1__orders.sql"), """
                create table orders (id int primary key, total bigint not null);
                insert into orders select n, n from generate_series(1, 100000) n;
                """);
        Files.writeString(scratch.path().resolve("V2__note.sql"), "alter table orders add column note text;\n");
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
                .locations("filesystem:" + scratch.path());
        Optional.ofNullable(flyway.getConfigurationExtension(PgLockConfiguration.class))
                .ifPresent(settings::set);
        return flyway;
    }

    @Override
    public void close() throws IOException {
        scratch.close();
    }
}
