// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring.internal;

import io.pglock.flyway.PgLockConfiguration;
import java.util.Map;
import org.flywaydb.core.Flyway;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.config.BeanPostProcessor;

/**
 * Gives the application's settings to Flyways that an application makes itself. An {@code initMethod} and Boot's initializer
 * both come later; a Flyway that has migrated within its bean's method says that it is too late. Immutable, thread-safe. Not API.
 */
public final class FlywayBeans implements BeanPostProcessor {

    private final Map<String, String> settings;

    public FlywayBeans(Map<String, String> settings) {
        this.settings = settings;
    }

    @Override
    @SuppressWarnings("deprecation") // getExact, its successor, is missing in Flyway 10.x and 11.7
    public Object postProcessBeforeInitialization(Object bean, String name) {
        if (bean instanceof Flyway flyway) {
            @Nullable PgLockConfiguration pglock =
                    flyway.getConfiguration().getPluginRegister().getPlugin(PgLockConfiguration.class);
            if (pglock != null) {
                pglock.defaultTo(settings);
            }
        }
        return bean;
    }
}
