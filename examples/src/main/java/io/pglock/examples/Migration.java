// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import io.pglock.flyway.PgLockConfiguration;
import io.pglock.testkit.Database;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.configuration.FluentConfiguration;

/** The same two migrations for Flyway, with pglock out of the way or with it. */
enum Migration {
    /** What Flyway does alone. */
    WITHOUT_PGLOCK {
        @Override
        void configure(PgLockConfiguration pglock) {
            pglock.setEnabled("false");
        }
    },
    /** One setting; everything else is pglock's default. */
    WITH_PGLOCK {
        @Override
        void configure(PgLockConfiguration pglock) {
            pglock.setPrioritize("terminate");
        }
    };

    abstract void configure(PgLockConfiguration pglock);

    static void toVersion1(Database database) {
        WITHOUT_PGLOCK.flyway(database).target("1").load().migrate();
    }

    /** @return how many migrations were applied */
    int migrate(Database database) {
        return flyway(database).load().migrate().migrationsExecuted;
    }

    @SuppressWarnings("deprecation") // getExact, its successor, is missing in Flyway 10.x and 11.7
    private FluentConfiguration flyway(Database database) {
        FluentConfiguration flyway = Flyway.configure()
                .dataSource(database.url(), database.user(), database.password())
                .locations("classpath:db/demo")
                .loggers(FlywayLog.class.getName());
        configure(flyway.getPluginRegister().getPlugin(PgLockConfiguration.class));
        return flyway;
    }
}
