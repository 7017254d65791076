// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring.internal;

import io.pglock.LockPolicy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.env.Environment;

/**
 * What stands under {@code pglock.} in a Spring application's properties, in pglock's own spelling: {@code lock-timeout},
 * {@code lockTimeout} and {@code PGLOCK_LOCKTIMEOUT} are {@code lockTimeout}. Not API.
 */
public final class SpringSettings {

    private static final String PREFIX = "pglock";

    /** Boot passes nothing on from there, and what is written there would be without effect. */
    private static final List<String> FLYWAYS_PREFIXES = List.of("spring.flyway.pglock", "flyway.pglock");

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
        Binder binder = Binder.get(environment);
        Map<String, String> settings = new TreeMap<>();
        texts(binder, PREFIX).forEach((written, text) -> {
            String key = key(written);
            // What comes first comes from the property source that precedes the others.
            settings.putIfAbsent(key, written.matches(".+" + INDEX) ? list(binder, key) : offAsItWasWritten(key, text));
        });
        settings.values().removeIf(String::isBlank);

        List<String> mistakes = new ArrayList<>();
        FLYWAYS_PREFIXES.forEach(prefix -> texts(binder, prefix)
                .keySet()
                .forEach(key -> mistakes.add("pglock: " + prefix + "." + key + " is not read in Spring Boot; write "
                        + property(key(key)) + " instead")));
        try {
            LockPolicy.parse(settings);
        } catch (IllegalArgumentException e) {
            mistakes.add(String.valueOf(e.getMessage()));
        }
        if (!mistakes.isEmpty()) {
            throw new InvalidSettingsException(mistakes, origins(environment));
        }
        return settings;
    }

    private static Map<String, String> texts(Binder binder, String prefix) {
        return binder.bind(prefix, TEXTS).orElse(Map.of());
    }

    /** What is no key of pglock's is left as it is, for {@link LockPolicy#parse} to say what was meant. */
    private static String key(String written) {
        String plain = plain(written.replaceFirst(INDEX, ""));
        return LockPolicy.keys().stream()
                .filter(key -> plain(key).equals(plain))
                .findFirst()
                .orElse(written);
    }

    /** {@code PGLOCK_LOCK_TIMEOUT} comes as {@code lock.timeout}. */
    private static String plain(String key) {
        return key.replaceAll("[-_.]", "").toLowerCase(Locale.ROOT);
    }

    private static String property(String key) {
        return PREFIX + "." + key.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    private static String list(Binder binder, String key) {
        return String.join(
                ",", binder.bind(property(key), Bindable.listOf(String.class)).orElse(List.of()));
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
        List<ConfigurationPropertyName> prefixes = new ArrayList<>(List.of(ConfigurationPropertyName.of(PREFIX)));
        FLYWAYS_PREFIXES.forEach(prefix -> prefixes.add(ConfigurationPropertyName.of(prefix)));
        ConfigurationPropertySources.get(environment).forEach(source -> {
            if (source instanceof IterableConfigurationPropertySource iterable) {
                iterable.stream()
                        .filter(name -> prefixes.stream().anyMatch(prefix -> prefix.isAncestorOf(name)))
                        .map(iterable::getConfigurationProperty)
                        .forEach(property -> origins.putIfAbsent(
                                property.getName().toString(), String.valueOf(property.getOrigin())));
            }
        });
        return origins;
    }
}
