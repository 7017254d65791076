// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockPolicy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import liquibase.Scope;
import liquibase.configuration.LiquibaseConfiguration;
import liquibase.configuration.core.DefaultsFileValueProvider;

/**
 * Settings that have pglock's prefix and are none of its own: Liquibase passes over them in the environment, in system
 * properties and in {@code liquibase.properties}. What it is given by its command line it checks itself, and what scopes and
 * changelog parameters are called it tells nobody. Stateless.
 */
final class MisspeltSettings {

    private static final List<String> PREFIXES = List.of("liquibasepglock", "pglock", "parameterpglock");

    private MisspeltSettings() {}

    /** One line for each, saying where it stands and what was probably meant. */
    static List<String> found() {
        List<String> found = new ArrayList<>();
        System.getProperties().stringPropertyNames().stream()
                .filter(name -> name.startsWith(PgLockSettings.NAMESPACE + "."))
                .forEach(name -> misspelt(name, "-D" + name).ifPresent(found::add));
        System.getenv().keySet().stream()
                .filter(name -> name.startsWith("LIQUIBASE_PGLOCK_"))
                .forEach(name ->
                        misspelt(name, "the environment variable " + name).ifPresent(found::add));
        files().forEach(file -> file.getMap()
                .keySet()
                .forEach(name -> misspelt(String.valueOf(name), name + " in liquibase.properties")
                        .ifPresent(found::add)));
        return found;
    }

    private static Stream<DefaultsFileValueProvider> files() {
        return Scope.getCurrentScope().getSingleton(LiquibaseConfiguration.class).getProviders().stream()
                .filter(DefaultsFileValueProvider.class::isInstance)
                .map(DefaultsFileValueProvider.class::cast);
    }

    /** Liquibase takes {@code pglock-lock-timeout}, {@code PGLOCK_LOCK_TIMEOUT} and {@code pglock.lockTimeout} for one. */
    private static Optional<String> misspelt(String name, String where) {
        String plain = plain(name);
        return PREFIXES.stream()
                .filter(plain::startsWith)
                .map(prefix -> plain.substring(prefix.length()))
                .findFirst()
                .filter(key -> keys().stream().noneMatch(known -> plain(known).equals(key)))
                .map(key -> "pglock: there is no setting for " + where + ". "
                        + LockPolicy.nearest(key)
                                .map(near -> "Did you mean " + PgLockSettings.NAMESPACE + "." + near + "? ")
                                .orElse("")
                        + "Available are: " + String.join(", ", keys()));
    }

    private static Collection<String> keys() {
        return PgLockSettings.keys();
    }

    private static String plain(String name) {
        return name.replaceAll("[-_.]", "").toLowerCase(Locale.ROOT);
    }
}
