// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.boot35;

import io.pglock.flyway.PgLockFlyway;
import org.springframework.boot.autoconfigure.flyway.FlywayMigrationStrategy;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Profile;

/** For migrations that cannot be tried again one by one: the whole run is repeated. */
@Configuration(proxyBeanMethods = false)
@Profile("whole-runs")
class WholeRuns {

    @Bean
    FlywayMigrationStrategy migrateAgain() {
        return PgLockFlyway::migrate;
    }
}
