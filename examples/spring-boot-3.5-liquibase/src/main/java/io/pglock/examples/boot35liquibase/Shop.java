// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.boot35liquibase;

import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.jdbc.core.simple.JdbcClient;

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
    ApplicationRunner open(JdbcClient jdbc) {
        return arguments -> {
            String latest = jdbc.sql("select id from databasechangelog order by orderexecuted desc limit 1")
                    .query(String.class)
                    .single();
            System.out.println("The shop is open, after changeset " + latest + ".");
        };
    }
}
