// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring.internal;

import io.pglock.LockPolicy;
import io.pglock.internal.Setting;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.PropertySourcesPlaceholdersResolver;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.env.Environment;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.util.ClassUtils;

/**
 * What stands under {@code pglock.} in a Spring application's properties, in pglock's own spelling: {@code lock-timeout},
 * {@code lockTimeout} and {@code PGLOCK_LOCKTIMEOUT} are {@code lockTimeout}. Not API.
 */
public final class SpringSettings {

    private static final String PREFIX = "pglock";

    private static final String LIQUIBASES_PREFIX = "liquibase.pglock";

    /** Boot passes nothing on from there, and what is written there would be without effect. */
    private static final List<String> HOSTS_PREFIXES =
            List.of("spring.flyway.pglock", "flyway.pglock", "spring.liquibase.pglock", LIQUIBASES_PREFIX);

    /** Where others have names with our prefix as well, and where Liquibase itself looks for what has its own. */
    private static final Set<String> SHARED_SOURCES = Set.of(
            StandardEnvironment.SYSTEM_PROPERTIES_PROPERTY_SOURCE_NAME,
            StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME);

    /** A setting that Flyway has no use for. */
    private static final String CHANGELOG_LOCK = "changelogLock";

    /** As {@code PgLockLiquibaseAutoConfiguration} has it. */
    private static final boolean LIQUIBASE = Stream.of(
                    "io.pglock.liquibase.PgLockLiquibase", "liquibase.integration.spring.SpringLiquibase")
            .allMatch(name -> ClassUtils.isPresent(name, SpringSettings.class.getClassLoader()));

    /** What the agent and pglock's own builds read in those, as {@link #plain} has it, and what could be taken for one of ours. */
    private static final List<String> OTHERS =
            List.of("agent", "bench", "fuzz", "hosts", "ontimeout", "signalownjvm", "spring", "targets", "test");

    /** Of a list: {@code protect[0]} comes as {@code protect.0}. */
    private static final String INDEX = "\\.\\d+$";

    private static final Bindable<Map<String, String>> TEXTS = Bindable.mapOf(String.class, String.class);

    private SpringSettings() {}

    /**
     * By key; what is not set, or set to nothing as by <code>${UNSET:}</code>, is absent.
     *
     * @throws InvalidSettingsException naming every mistake, and where it stands
     */
    public static Map<String, String> of(Environment environment) {
        Map<String, String> settings = new TreeMap<>();
        Set<String> meant = binder(filesOf(environment), environment)
                .bind(PREFIX, TEXTS)
                .orElse(Map.of())
                .keySet();
        texts(environment, PREFIX).forEach((written, text) -> {
            String key = key(written);
            if (!meant.contains(written) && isOthers(key)) {
                return;
            }
            // What comes first comes from the property source that precedes the others.
            settings.putIfAbsent(
                    key, written.matches(".+" + INDEX) ? list(environment, key) : offAsItWasWritten(key, text));
        });
        settings.values().removeIf(String::isBlank);

        List<String> mistakes = new ArrayList<>();
        HOSTS_PREFIXES.forEach(prefix -> texts(environment, prefix)
                .keySet()
                .forEach(key -> mistakes.add("pglock: " + prefix + "." + key + " is not read in Spring Boot; write "
                        + property(key(key)) + " instead")));
        if (!LIQUIBASE && settings.remove(CHANGELOG_LOCK) != null) {
            mistakes.add("pglock: " + property(CHANGELOG_LOCK) + " is a setting for Liquibase, and pglock-liquibase is"
                    + " not there; remove one or add the other");
        }
        try {
            check(settings);
        } catch (IllegalArgumentException e) {
            mistakes.add(String.valueOf(e.getMessage()));
        }
        if (!mistakes.isEmpty()) {
            throw new InvalidSettingsException(mistakes, origins(environment));
        }
        return settings;
    }

    /**
     * {@link #of} an application, without what only Liquibase understands.
     *
     * @throws InvalidSettingsException naming every mistake, and where it stands
     */
    public static Map<String, String> forFlyway(Environment environment) {
        Map<String, String> settings = of(environment);
        settings.remove(CHANGELOG_LOCK);
        return settings;
    }

    private static void check(Map<String, String> settings) {
        if (LIQUIBASE) {
            LiquibaseBeans.check(settings);
        } else {
            LockPolicy.parse(settings);
        }
    }

    private static Map<String, String> texts(Environment environment, String prefix) {
        return binder(environment, prefix).bind(prefix, TEXTS).orElse(Map.of());
    }

    private static Binder binder(Environment environment, String prefix) {
        return binder(sources(environment, prefix), environment);
    }

    private static Binder binder(List<ConfigurationPropertySource> sources, Environment environment) {
        return new Binder(sources, new PropertySourcesPlaceholdersResolver(environment));
    }

    /** Those that count, or where what has this prefix is out of place. */
    private static List<ConfigurationPropertySource> sources(Environment environment, String prefix) {
        return prefix.equals(LIQUIBASES_PREFIX)
                ? filesOf(environment)
                : all(environment).toList();
    }

    private static Stream<ConfigurationPropertySource> all(Environment environment) {
        return StreamSupport.stream(
                ConfigurationPropertySources.get(environment).spliterator(), false);
    }

    /** Files, the command line and whatever else an application reads for itself alone. */
    private static List<ConfigurationPropertySource> filesOf(Environment environment) {
        return all(environment).filter(source -> !isShared(source)).toList();
    }

    private static boolean isShared(ConfigurationPropertySource source) {
        return source.getUnderlyingSource() instanceof PropertySource<?> properties
                && SHARED_SOURCES.contains(properties.getName());
    }

    /**
     * Whether what stands in a shared source is not for us: {@code PGLOCK_KEY} is {@code pglock run}'s, {@code
     * PGLOCK_SERVICE_HOST} Kubernetes' own. What is much like a setting is a mistake there too.
     */
    private static boolean isOthers(String key) {
        return !keys().toList().contains(key)
                && (OTHERS.stream().anyMatch(plain(key)::startsWith)
                        || Setting.nearest(key, keys().toList()).isEmpty());
    }

    private static Stream<String> keys() {
        return Stream.concat(LockPolicy.keys().stream(), Stream.of(CHANGELOG_LOCK));
    }

    /** What is no key of pglock's is left as it is, for {@link LockPolicy#parse} to say what was meant. */
    private static String key(String written) {
        String plain = plain(written.replaceFirst(INDEX, ""));
        return keys().filter(key -> plain(key).equals(plain)).findFirst().orElse(written);
    }

    /** {@code PGLOCK_LOCK_TIMEOUT} comes as {@code lock.timeout}. */
    private static String plain(String key) {
        return key.replaceAll("[-_.]", "").toLowerCase(Locale.ROOT);
    }

    private static String property(String key) {
        return PREFIX + "." + key.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    private static String list(Environment environment, String key) {
        return binder(environment, PREFIX).bind(property(key), Bindable.listOf(String.class)).orElse(List.of()).stream()
                .collect(Collectors.joining(","));
    }

    /** YAML reads {@code off} as {@code false}. */
    private static String offAsItWasWritten(String key, String text) {
        return text.equals("false") && !isRight(key, text) && isRight(key, "off") ? "off" : text;
    }

    private static boolean isRight(String key, String text) {
        try {
            LockPolicy.parse(Map.of(key, text));
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** Property and place, and never a value: it may be a password. */
    private static Map<String, String> origins(Environment environment) {
        Map<String, String> origins = new LinkedHashMap<>();
        Stream.concat(Stream.of(PREFIX), HOSTS_PREFIXES.stream())
                .forEach(prefix -> sources(environment, prefix).forEach(source -> {
                    if (source instanceof IterableConfigurationPropertySource iterable) {
                        iterable.stream()
                                .filter(ConfigurationPropertyName.of(prefix)::isAncestorOf)
                                .map(iterable::getConfigurationProperty)
                                .forEach(property -> origins.putIfAbsent(
                                        property.getName().toString(), String.valueOf(property.getOrigin())));
                    }
                }));
        return origins;
    }
}
