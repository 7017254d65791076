// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where pglock is installed. */
class LauncherTest {

    @Test
    void theFolderMayHaveBlanksAndStarsInItsName(@TempDir Path folder) throws Exception {
        Path home = Files.createDirectory(folder.resolve("my * tools [new]"));
        Path launcher = Files.copy(Cli.launcher(), home.resolve("pglock"), StandardCopyOption.COPY_ATTRIBUTES);
        String jar = Files.readAllLines(launcher).stream()
                .filter(line -> line.startsWith("jar=$home/"))
                .findFirst()
                .orElseThrow()
                .substring("jar=$home/".length());
        Files.copy(Cli.launcher().resolveSibling(jar), home.resolve(jar));

        for (String start : List.of("the first start, which makes the archive", "the second")) {
            ProcessBuilder pglock = Cli.bare().builder();
            pglock.command(launcher.toString(), "sql", "--dry-run", "-");
            pglock.redirectErrorStream(true);
            Process process = pglock.start();
            try (var stdin = process.outputWriter()) {
                stdin.write("select 1");
            }
            assertThat(process.inputReader().lines()).as(start).containsExactly("stdin:1  select 1");
            assertThat(process.waitFor()).as(start).isZero();
        }
        try (Stream<Path> files = Files.list(home)) {
            assertThat(files)
                    .as("the archive of classes")
                    .anyMatch(file -> file.toString().endsWith(".jsa"));
        }
    }
}
