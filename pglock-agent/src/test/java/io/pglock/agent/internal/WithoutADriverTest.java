// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockPolicy;
import java.io.File;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tomlj.Toml;

/** In the agent's class loader there is the Java platform, pglock and what it brings, and no driver of a database. */
class WithoutADriverTest {

    @Test
    void readsSettingsWhereNoDriverIs() throws Exception {
        List<URL> urls = new ArrayList<>();
        for (Class<?> needed : List.of(AgentSettings.class, LockPolicy.class, Toml.class)) {
            urls.add(needed.getProtectionDomain().getCodeSource().getLocation());
        }
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            if (entry.contains("antlr4-runtime")) {
                urls.add(Path.of(entry).toUri().toURL());
            }
        }
        try (URLClassLoader loader =
                new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            Class<?> settings = Class.forName(AgentSettings.class.getName(), true, loader);
            Method of = settings.getDeclaredMethod("of", String.class, Map.class, Map.class, Path.class);
            of.setAccessible(true);

            String read = String.valueOf(of.invoke(
                    null,
                    "monitorUrl=jdbc:postgresql://db/shop;monitorUser=me;target=com.acme.Job#run;advisory;advisoryTimeout=1s;"
                            + "table=orders;prioritize=kill;target=com.acme.Job#walk;table=orders;report=none",
                    Map.of("pglock.config", "src/test/resources/agent.toml"),
                    Map.of(),
                    Path.of("")));

            assertThat(read)
                    .contains("prioritize=kill: is none of off, report, cancel, terminate")
                    .contains("target com.acme.Job#walk")
                    .contains("target com.acme.FromToml#run");
        }
    }
}
