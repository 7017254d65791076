// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Enumeration;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.configuration.FluentConfiguration;

/** SQL migrations in a folder of one test, and a Flyway configuration that runs them. */
record Migrations(Path folder) {

    Migrations with(String file, String text) {
        try {
            Files.writeString(folder.resolve(file), text);
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A migration that Flyway does not put into a transaction. */
    Migrations withNonTransactional(String file, String text) {
        return with(file, text).with(file + ".conf", "executeInTransaction=false");
    }

    /** Without the {@code db.callback} package that this module's tests have. */
    FluentConfiguration flyway(DataSource dataSource) {
        return flyway(dataSource, new WithoutCallbackPackage());
    }

    FluentConfiguration flyway(DataSource dataSource, ClassLoader classLoader) {
        RecordedLog.clear();
        return Flyway.configure(classLoader)
                .loggers(RecordedLog.class.getName())
                .dataSource(dataSource)
                .locations("filesystem:" + folder);
    }

    @SuppressWarnings("deprecation")
    static PgLockConfiguration pglock(FluentConfiguration flyway) {
        return flyway.getPluginRegister().getPlugin(PgLockConfiguration.class);
    }

    private static final class WithoutCallbackPackage extends ClassLoader {

        WithoutCallbackPackage() {
            super(Migrations.class.getClassLoader());
        }

        @Override
        public Enumeration<URL> getResources(String name) throws IOException {
            return name.startsWith("db/callback") ? Collections.emptyEnumeration() : super.getResources(name);
        }
    }
}
