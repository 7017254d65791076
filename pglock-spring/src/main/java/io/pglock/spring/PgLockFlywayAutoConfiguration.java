// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring;

import io.pglock.flyway.PgLockCallback;
import io.pglock.spring.internal.FlywayBeans;
import io.pglock.spring.internal.SpringSettings;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.callback.Callback;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;

/**
 * pglock around the Flyway migrations of a Spring Boot application, 3.5 or 4.1, with the settings that stand under {@code
 * pglock.} in its properties. There is nothing to call. Stateless, thread-safe.
 *
 * {@snippet lang=properties :
 * pglock.lock-timeout=3s
 * pglock.prioritize=terminate
 * }
 *
 * <p>A misspelt key or a bad value ends the application while its first beans are made, before any SQL.
 */
@AutoConfiguration
@ConditionalOnClass({Flyway.class, PgLockCallback.class})
public class PgLockFlywayAutoConfiguration {

    /** As Spring needs it. */
    public PgLockFlywayAutoConfiguration() {}

    /** The callback that Boot hands to its Flyway, and an application to those that it makes itself. */
    @Bean
    static Callback pglockFlywayCallback(Environment environment) {
        return PgLockCallback.with(SpringSettings.forFlyway(environment));
    }

    /** The same settings for every Flyway that is a bean, with or without that callback. */
    @Bean
    static FlywayBeans pglockFlywayBeans(Environment environment) {
        return new FlywayBeans(SpringSettings.forFlyway(environment));
    }
}
