// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.boot41;

import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationInfo;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** Migrates when it starts, says how far, and ends. Nothing in it knows of pglock, which is there by being a dependency. */
@SpringBootApplication
public class Shop {

    /** As Spring needs it. */
    public Shop() {}

    /** @param arguments settings, as Boot takes them */
    public static void main(String[] arguments) {
        SpringApplication.run(Shop.class, arguments);
    }

    @Bean
    ApplicationRunner open(Flyway flyway) {
        return arguments -> {
            @Nullable MigrationInfo latest = flyway.info().current();
            System.out.println("The shop is open, at version " + (latest == null ? "none" : latest.getVersion()) + ".");
        };
    }
}
