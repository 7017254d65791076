// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.LockPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** The places where settings may be written, each as a test wants it. For test classes to extend. */
abstract class SettingsPlaces {

    Path folder = Path.of("");

    @BeforeEach
    void work(@TempDir Path directory) {
        folder = directory;
    }

    AgentSettings arguments(String arguments) {
        return AgentSettings.of(arguments, Map.of(), Map.of(), folder);
    }

    AgentSettings properties(Map<String, String> properties) {
        return AgentSettings.of("", properties, Map.of(), folder);
    }

    AgentSettings environment(Map<String, String> environment) {
        return AgentSettings.of("", Map.of(), environment, folder);
    }

    static LockPolicy policy(AgentSettings settings, int target) {
        return LockPolicy.parse(settings.targets().get(target).spec().settings());
    }

    void write(String file, String... lines) throws IOException {
        Files.writeString(folder.resolve(file), String.join("\n", lines));
    }
}
