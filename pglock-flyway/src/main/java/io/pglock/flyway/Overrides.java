// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import io.pglock.LockPolicy;
import io.pglock.SqlCommand;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.configuration.Configuration;
import org.flywaydb.core.api.migration.JavaMigration;

/** What one migration says of its own settings: in a leading comment, or in an annotation. Stateless. */
final class Overrides {

    private static final Pattern LINE =
            Pattern.compile("^\\s*--\\s*pglock\\s*:(.*)$", Pattern.MULTILINE | Pattern.CASE_INSENSITIVE);

    /** Settings without the colon; any other comment may begin with the word. */
    private static final Pattern ALMOST =
            Pattern.compile("^\\s*--\\s*pglock\\s+(\\w[\\w-]*\\s*=.*)$", Pattern.MULTILINE | Pattern.CASE_INSENSITIVE);

    private Overrides() {}

    /** @throws IllegalArgumentException when it is not in the right form */
    static Map<String, String> leading(String sql) {
        Map<String, String> overrides = new LinkedHashMap<>();
        String head = SqlCommand.leadingComments(sql);
        if (head.toLowerCase(Locale.ROOT).contains("pglock")) {
            Matcher almost = ALMOST.matcher(head);
            if (almost.find()) {
                throw new IllegalArgumentException("pglock: \"" + almost.group().strip()
                        + "\" has no colon; write -- pglock: " + almost.group(1).strip());
            }
            Matcher line = LINE.matcher(head);
            while (line.find()) {
                overrides.putAll(LockPolicy.settings(line.group(1)));
            }
        }
        return overrides;
    }

    /** @throws IllegalArgumentException when it is not in the right form */
    static Map<String, String> ofJavaMigration(MigrationInfo migration, Configuration flyway) {
        return type(migration.getScript(), flyway)
                .map(type -> type.getAnnotation(MigrationPolicy.class))
                .map(policy -> LockPolicy.settings(policy.value()))
                .orElse(Map.of());
    }

    /** That of the object that Flyway was given, which its class loader need not see; else one that Flyway has found itself. */
    private static Optional<Class<?>> type(String name, Configuration flyway) {
        for (JavaMigration given : flyway.getJavaMigrations()) {
            if (given.getClass().getName().equals(name)) {
                return Optional.of(given.getClass());
            }
        }
        try {
            return Optional.of(Class.forName(name, false, flyway.getClassLoader()));
        } catch (ClassNotFoundException | LinkageError notAClass) {
            return Optional.empty();
        }
    }
}
