// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import java.io.IOException;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Liquibase's command line, of each line of versions, the last but one with what Liquibase sells and without. */
@ParameterizedClass(name = "{0}")
@MethodSource("homes")
class LiquibaseCommandLineTest extends LiquibaseHostContract {

    static final String PROPERTIES = "liquibase.properties";

    @Parameter
    LiquibaseHome home;

    static List<LiquibaseHome> homes() throws IOException {
        return LiquibaseHome.all();
    }

    @Override
    Map<String, Host> channels() {
        Map<String, Host> channels = channels(home);
        if (!home.is("4.27") && !home.is("5")) {
            channels.keySet()
                    .retainAll(Set.of(PROPERTIES)); // the others are Liquibase's work, in the oldest and the newest
        }
        return channels;
    }

    /** Liquibase 5 does not have its file among the sources of settings that it tells of. */
    @Override
    boolean hidesUnknownKeys(String channel) {
        return home.is("5") && channel.equals(PROPERTIES);
    }

    static Map<String, Host> channels(LiquibaseHome home) {
        Map<String, Host> channels = new LinkedHashMap<>();
        channels.put(PROPERTIES, (database, folder, settings) -> {
            Files.write(folder.resolve("liquibase.properties"), Settings.lines(settings, "liquibase.pglock.%s: %s"));
            return home.update(database, List.of());
        });
        channels.put(
                "a flag",
                (database, folder, settings) ->
                        home.update(database, Settings.lines(Settings.hyphenated(settings), "--pglock-%s=%s")));
        channels.put("a system property", (database, folder, settings) -> {
            ProcessBuilder update = home.update(database, List.of());
            update.environment()
                    .put("JAVA_OPTS", String.join(" ", Settings.lines(settings, "-Dliquibase.pglock.%s=%s")));
            return update;
        });
        channels.put("the environment", (database, folder, settings) -> {
            ProcessBuilder update = home.update(database, List.of());
            update.environment().putAll(Settings.variables("liquibase", settings));
            return update;
        });
        return channels;
    }
}
