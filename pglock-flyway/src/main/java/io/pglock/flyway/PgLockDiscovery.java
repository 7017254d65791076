// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import io.pglock.LockPolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.callback.Callback;
import org.flywaydb.core.api.configuration.ClassicConfiguration;
import org.flywaydb.core.extensibility.ConfigurationProvider;
import org.flywaydb.core.internal.configuration.models.EnvironmentModel;

/**
 * How Flyway finds pglock: it asks every {@code ConfigurationProvider} on its class path for settings when it is made, and
 * this one answers with {@code flyway.callbacks}. The settings are checked here, before Flyway has done anything.
 * Stateless, thread-safe.
 */
public final class PgLockDiscovery implements ConfigurationProvider<PgLockConfiguration> {

    private static final String CALLBACK = PgLockCallback.class.getName();

    /** As Flyway needs it. */
    public PgLockDiscovery() {}

    @Override
    public Class<PgLockConfiguration> getConfigurationExtensionClass() {
        return PgLockConfiguration.class;
    }

    /**
     * The user's callbacks and ours. By name and not as an object: a {@code db.callback} package makes Flyway forget objects.
     *
     * @throws IllegalArgumentException when a setting is misspelt or out of range
     */
    @Override
    public Map<String, String> getConfiguration(PgLockConfiguration extension, ClassicConfiguration flyway) {
        takeOver(extension, flyway);
        LockPolicy policy = extension.policy();
        if (!policy.enabled()) {
            return Map.of();
        }
        List<String> names =
                new ArrayList<>(flyway.getModernConfig().getFlyway().getCallbacks());
        if (namesAreUsed(flyway)) {
            if (names.contains(CALLBACK)) {
                return Map.of();
            }
            names.add(CALLBACK);
            return Map.of("flyway.callbacks", String.join(",", names));
        }
        List<Callback> callbacks = new ArrayList<>(Arrays.asList(flyway.getCallbacks()));
        if (callbacks.stream().noneMatch(PgLockCallback.class::isInstance)) {
            callbacks.add(new PgLockCallback());
            flyway.setCallbacks(callbacks.toArray(Callback[]::new));
        }
        return Map.of();
    }

    /** Callbacks that bring settings along: those go in here, and the objects out, or pglock would be there twice. */
    private static void takeOver(PgLockConfiguration extension, ClassicConfiguration flyway) {
        Callback[] callbacks = flyway.getCallbacks();
        Callback[] others = Arrays.stream(callbacks)
                .filter(callback -> !(callback instanceof Settled))
                .toArray(Callback[]::new);
        if (others.length < callbacks.length) {
            extension.defaultTo(Settled.settingsIn(flyway));
            flyway.setCallbacks(others);
        }
    }

    /**
     * Not where the environment has callbacks of its own, where Flyway's class loader would find another class or none, or
     * beside an object of an anonymous class: Flyway compares names with its, and there is none.
     */
    private static boolean namesAreUsed(ClassicConfiguration flyway) {
        if (Arrays.stream(flyway.getCallbacks())
                .anyMatch(callback -> callback.getClass().getCanonicalName() == null)) {
            return false;
        }
        try {
            if (Class.forName(CALLBACK, false, flyway.getClassLoader()) != PgLockCallback.class) {
                return false;
            }
        } catch (ClassNotFoundException e) {
            return false;
        }
        try {
            EnvironmentModel environment =
                    flyway.getModernConfig().getEnvironments().get(flyway.getCurrentEnvironmentName());
            return environment == null
                    || environment.getFlyway() == null
                    || environment.getFlyway().getCallbacks() == null;
        } catch (LinkageError | FlywayException noSuchEnvironment) {
            return true; // Flyway 10.0 knows none; a misspelt one is Flyway's to complain about
        }
    }
}
