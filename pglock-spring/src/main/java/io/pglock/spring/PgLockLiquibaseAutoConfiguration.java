// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring;

import io.pglock.liquibase.PgLockLiquibase;
import io.pglock.spring.internal.LiquibaseBeans;
import io.pglock.spring.internal.SpringSettings;
import liquibase.integration.spring.SpringLiquibase;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;

/**
 * pglock around the Liquibase changesets of a Spring Boot application, 3.5 or 4.1, with the settings that stand under {@code
 * pglock.} in its properties and a side connection from the data source that Liquibase migrates. There is nothing to call.
 * Stateless, thread-safe.
 *
 * {@snippet lang=properties :
 * pglock.lock-timeout=3s
 * pglock.changelog-lock=advisory
 * }
 *
 * <p>A misspelt key or a bad value ends the application while its first beans are made, before any SQL.
 */
@AutoConfiguration
@ConditionalOnClass({SpringLiquibase.class, PgLockLiquibase.class})
public class PgLockLiquibaseAutoConfiguration {

    /** As Spring needs it. */
    public PgLockLiquibaseAutoConfiguration() {}

    /** Data source and settings for every {@link SpringLiquibase} that is a bean: Boot's, and those of the application. */
    @Bean
    static LiquibaseBeans pglockLiquibaseBeans(Environment environment) {
        return new LiquibaseBeans(SpringSettings.of(environment));
    }
}
