// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockPolicy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import liquibase.changelog.ChangeLogParameters;
import liquibase.changelog.DatabaseChangeLog;
import liquibase.configuration.AutoloadedConfigurations;
import liquibase.configuration.ConfigurationDefinition;
import liquibase.configuration.ProvidedValue;
import liquibase.configuration.core.EnvironmentValueProvider;
import liquibase.configuration.core.SystemPropertyValueProvider;
import liquibase.database.Database;
import org.jspecify.annotations.Nullable;

/**
 * pglock's settings as Liquibase knows them: {@code liquibase.pglock.lockTimeout} and so on, from the command line, the
 * environment, system properties, {@code liquibase.properties} and scopes. What they mean, and whether they are right, is
 * {@link LockPolicy}'s to say. Stateless, thread-safe. Not API.
 */
public final class PgLockSettings implements AutoloadedConfigurations {

    static final String NAMESPACE = "liquibase.pglock";
    static final String SHORT_NAMESPACE = "pglock";

    private static final Map<String, ConfigurationDefinition<String>> DEFINITIONS = definitions();

    /** As Liquibase needs it. */
    public PgLockSettings() {}

    /** Only texts: another type of a value would be found wrong by Liquibase, in Liquibase's words. */
    private static Map<String, ConfigurationDefinition<String>> definitions() {
        Map<String, ConfigurationDefinition<String>> definitions = new LinkedHashMap<>();
        for (String key : LockPolicy.keys()) {
            definitions.put(key, define(key, LockPolicy.meaning(key), LockPolicy.isSecret(key)));
        }
        definitions.put(
                ChangelogLock.KEY,
                define(
                        ChangelogLock.KEY,
                        "What keeps two Liquibases from running the same changelog at once: `table` (Liquibase's own row, which"
                                + " stays locked when its holder dies), `advisory` (a session advisory lock, which ends with"
                                + " its session) or `both`.",
                        false));
        return definitions;
    }

    private static ConfigurationDefinition<String> define(String key, String meaning, boolean secret) {
        ConfigurationDefinition.Building<String> building = new ConfigurationDefinition.Builder(NAMESPACE)
                .define(key, String.class)
                .addAliasKey(SHORT_NAMESPACE + "." + key)
                .setDescription("pglock: " + meaning)
                .setValueHandler(value -> value == null ? null : value.toString());
        return secret
                ? building.setValueObfuscator(value -> value == null ? null : "*****")
                        .build()
                : building.build();
    }

    /** All there are, in the order of the manual. */
    static Collection<String> keys() {
        return Collections.unmodifiableSet(DEFINITIONS.keySet());
    }

    /** @throws IllegalArgumentException naming all that is wrong with what Liquibase has been given, wherever it stands */
    static void check(Database database) {
        List<String> mistakes = new ArrayList<>(MisspeltSettings.found());
        collecting(mistakes, () -> check(settings(database)));
        if (!mistakes.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", mistakes));
        }
    }

    /**
     * The policy for every changeset of this database that says nothing else.
     *
     * @throws IllegalArgumentException when a value is not in the right form
     */
    static LockPolicy policy(Database database) {
        Map<String, String> settings = settings(database);
        settings.remove(ChangelogLock.KEY);
        return LockPolicy.parse(settings);
    }

    /**
     * As {@link #policy(Database)}, with what the changelog's own parameters say on top: {@code <property
     * name="pglock.lockTimeout" value="5s"/>}.
     *
     * @throws IllegalArgumentException when a value is not in the right form
     */
    static LockPolicy policy(Database database, DatabaseChangeLog changeLog) {
        LockPolicy policy = policy(database);
        @Nullable ChangeLogParameters parameters = changeLog.getChangeLogParameters();
        if (parameters == null) {
            return policy;
        }
        Map<String, String> settings = new HashMap<>();
        for (String key : LockPolicy.keys()) {
            for (String namespace : List.of(SHORT_NAMESPACE, NAMESPACE)) {
                String name = namespace + "." + key;
                @Nullable Object value = parameters.getValue(name, changeLog);
                if (value != null && !value.equals(System.getProperty(name))) { // which are parameters too
                    settings.put(key, value.toString());
                }
            }
        }
        return policy.with(settings);
    }

    /** @throws IllegalArgumentException when it is none of the three */
    static ChangelogLock changelogLock(Database database) {
        return Optional.ofNullable(settings(database).get(ChangelogLock.KEY))
                .map(ChangelogLock::read)
                .orElse(ChangelogLock.TABLE);
    }

    /** @throws IllegalArgumentException naming all that is wrong */
    public static void check(Map<String, String> settings) {
        List<String> mistakes = new ArrayList<>();
        Map<String, String> ofPolicy = new HashMap<>(settings);
        Optional.ofNullable(ofPolicy.remove(ChangelogLock.KEY))
                .ifPresent(text -> collecting(mistakes, () -> ChangelogLock.read(text)));
        collecting(mistakes, () -> LockPolicy.parse(ofPolicy));
        if (!mistakes.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", mistakes));
        }
    }

    private static void collecting(List<String> mistakes, Runnable check) {
        try {
            check.run();
        } catch (IllegalArgumentException e) {
            mistakes.add(String.valueOf(e.getMessage()));
        }
    }

    /** By key: what the host has attached, and over it what Liquibase itself is given. */
    private static Map<String, String> settings(Database database) {
        Map<String, String> settings =
                new HashMap<>(Attachment.of(database).map(Attachment::settings).orElse(Map.of()));
        DEFINITIONS.forEach((key, definition) -> given(definition).ifPresent(value -> settings.put(key, value)));
        return settings;
    }

    private static Optional<String> given(ConfigurationDefinition<String> definition) {
        return definition.getCurrentConfiguredValue().getProvidedValues().stream()
                .filter(value -> !isOfTheWholeJvm(value))
                .findFirst()
                .map(ProvidedValue::getValue)
                .map(Object::toString)
                .filter(value -> !value.isBlank());
    }

    /** {@code -Dpglock.lockTimeout} and {@code PGLOCK_LOCK_TIMEOUT} are the agent's, and Spring Boot's, which has its own order. */
    private static boolean isOfTheWholeJvm(ProvidedValue value) {
        boolean environment = value.getProvider() instanceof SystemPropertyValueProvider
                || value.getProvider() instanceof EnvironmentValueProvider;
        return environment && value.getActualKey().toLowerCase(Locale.ROOT).startsWith(SHORT_NAMESPACE);
    }
}
