// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.server;

import java.nio.file.Path;
import java.util.Map;

/** The folder with the user's own files, as psql finds it: {@code HOME}, else what the system knows of the user. Stateless. */
final class Home {

    private Home() {}

    static Path of(Map<String, String> environment) {
        String home = environment.getOrDefault("HOME", "");
        return Path.of(home.isEmpty() ? System.getProperty("user.home", "") : home);
    }
}
