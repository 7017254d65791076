// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.spi.ToolProvider;

/** The jars that a user adds to a host. */
enum PgLockJars {
    CORE("pglock.hosts.core"),
    FLYWAY("pglock.hosts.pglock-flyway");

    private final Path built;

    PgLockJars(String property) {
        this.built = Path.of(System.getProperty(property));
    }

    /** In {@code mvn verify} it is the one that was just packaged; in {@code mvn test} there are only class files yet. */
    void copyTo(Path jar) throws IOException {
        if (Files.isRegularFile(built)) {
            Files.copy(built, jar, StandardCopyOption.REPLACE_EXISTING);
            return;
        }
        int exit = ToolProvider.findFirst("jar")
                .orElseThrow()
                .run(System.out, System.err, "--create", "--file", jar.toString(), "-C", built.toString(), ".");
        if (exit != 0) {
            throw new IOException("jar of " + built + ": exit code " + exit);
        }
    }
}
