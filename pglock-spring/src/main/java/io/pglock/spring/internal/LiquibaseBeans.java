// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring.internal;

import io.pglock.liquibase.PgLockLiquibase;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Map;
import liquibase.Liquibase;
import liquibase.integration.spring.Customizer;
import liquibase.integration.spring.MultiTenantSpringLiquibase;
import liquibase.integration.spring.SpringLiquibase;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.config.BeanPostProcessor;

/**
 * Lends the data source of every {@link SpringLiquibase} to pglock, with the application's settings, just before that
 * migrates. Immutable, thread-safe. Not API.
 */
public final class LiquibaseBeans implements BeanPostProcessor {

    private static final Logger LOG = System.getLogger("io.pglock");

    private final Map<String, String> settings;

    public LiquibaseBeans(Map<String, String> settings) {
        this.settings = settings;
    }

    /** @throws IllegalArgumentException naming all that is wrong */
    static void check(Map<String, String> settings) {
        PgLockLiquibase.check(settings);
    }

    @Override
    public Object postProcessBeforeInitialization(Object bean, String name) {
        if (bean instanceof SpringLiquibase spring) {
            @Nullable Customizer<Liquibase> users = spring.getCustomizer();
            spring.setCustomizer(liquibase -> {
                // The user's comes last: what it attaches itself counts.
                PgLockLiquibase.attach(liquibase.getDatabase(), spring.getDataSource(), settings);
                if (users != null) {
                    users.customize(liquibase);
                }
            });
        } else if (bean instanceof MultiTenantSpringLiquibase) {
            LOG.log(
                    Level.WARNING,
                    "pglock: " + name
                            + " makes each SpringLiquibase itself, and those have neither the settings that stand"
                            + " under pglock. nor a side connection from their data source. Make each of them a bean, or"
                            + " give the settings to Liquibase, as in -Dliquibase.pglock.lockTimeout=3s");
        }
        return bean;
    }
}
