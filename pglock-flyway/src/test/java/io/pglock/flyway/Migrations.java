// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.core.extensibility.ConfigurationExtension;

/** SQL migrations in a folder of one test, and a Flyway configuration that runs them. */
record Migrations(Path folder) {

    Migrations with(String file, String text) {
        try {
            Files.writeString(folder.resolve(file), text);
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A migration that Flyway does not put into a transaction. */
    Migrations withNonTransactional(String file, String text) {
        return with(file, text).with(file + ".conf", "executeInTransaction=false");
    }

    /** Without the {@code db.callback} package that this module's tests have. */
    FluentConfiguration flyway(DataSource dataSource) {
        return flyway(dataSource, new WithoutCallbackPackage());
    }

    FluentConfiguration flyway(DataSource dataSource, ClassLoader classLoader) {
        RecordedLog.clear();
        return Flyway.configure(classLoader)
                .loggers(RecordedLog.class.getName())
                .dataSource(dataSource)
                .locations("filesystem:" + folder);
    }

    /** Settings as a map has them, where Flyway reads one; elsewhere through their setters. */
    static FluentConfiguration configure(FluentConfiguration flyway, Map<String, String> settings) {
        if (FlywayInUse.readsTexts()) {
            return flyway.configuration(settings);
        }
        Map<String, String> flywaysOwn = new HashMap<>();
        settings.forEach((key, value) -> {
            if (!set(flyway, key, value)) {
                flywaysOwn.put(key, value);
            }
        });
        return flyway.configuration(flywaysOwn);
    }

    /** {@code flyway.postgresql.transactional.lock} is {@code setTransactionalLock} of the extension {@code postgresql}. */
    private static boolean set(FluentConfiguration flyway, String key, String value) {
        for (ConfigurationExtension extension :
                flyway.getPluginRegister().getInstancesOf(ConfigurationExtension.class)) {
            String prefix = "flyway." + extension.getNamespace() + ".";
            if (key.startsWith(prefix)) {
                String name = Arrays.stream(key.substring(prefix.length()).split("\\."))
                        .map(part -> Character.toUpperCase(part.charAt(0)) + part.substring(1))
                        .collect(Collectors.joining("", "set", ""));
                invoke(extension, name, value);
                return true;
            }
        }
        return false;
    }

    private static void invoke(ConfigurationExtension extension, String setter, String value) {
        for (Method method : extension.getClass().getMethods()) {
            if (method.getName().equals(setter)) {
                boolean text = method.getParameterTypes()[0] == String.class;
                try {
                    method.invoke(extension, text ? value : Boolean.valueOf(value));
                } catch (ReflectiveOperationException e) {
                    throw new LinkageError(setter + "(" + value + ")", e);
                }
                return;
            }
        }
        throw new AssertionError(extension.getClass().getSimpleName() + " has no " + setter);
    }

    @SuppressWarnings("deprecation")
    static PgLockConfiguration pglock(FluentConfiguration flyway) {
        return flyway.getPluginRegister().getPlugin(PgLockConfiguration.class);
    }

    private static final class WithoutCallbackPackage extends ClassLoader {

        WithoutCallbackPackage() {
            super(Migrations.class.getClassLoader());
        }

        @Override
        public Enumeration<URL> getResources(String name) throws IOException {
            return name.startsWith("db/callback") ? Collections.emptyEnumeration() : super.getResources(name);
        }
    }
}
