// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Await;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where pglock is installed. */
class LauncherTest {

    /** The JVM that makes the archive would write it at its end all the same, some megabytes that nobody removes. */
    @ParameterizedTest
    @CsvSource({"INT, 130", "QUIT, 131", "TERM, 143"})
    void isInterruptedAtItsFirstStartAndLeavesNothing(String signal, int code, @TempDir Path home) throws Exception {
        Path launcher = installedIn(home);
        Process process = new ProcessBuilder(Stream.of(
                                List.of("bash", "-c", "set -m; \"$@\" & echo $!; wait $!; echo \"ended $?\"", "bash"),
                                Cli.NOTHING_IGNORED,
                                List.of(launcher.toString(), "doctor"))
                        .flatMap(List::stream)
                        .toList())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String pid = process.inputReader().readLine();
        Await.until(
                Duration.ofSeconds(60),
                "the first start to make its archive",
                () -> children(Long.parseLong(pid)).anyMatch(line -> line.contains("ArchiveClassesAtExit")),
                () -> "pid " + pid);

        new ProcessBuilder("kill", "-s", signal, "--", "-" + pid).start().waitFor(); // as a terminal: to all of them

        assertThat(process.inputReader().readLine()).isEqualTo("ended " + code);
        try (Stream<Path> files = Files.list(home)) {
            assertThat(files).hasSize(2);
        }
    }

    private static Stream<String> children(long pid) {
        return ProcessHandle.of(pid).stream()
                .flatMap(ProcessHandle::descendants)
                .map(child -> child.info().commandLine().orElse(""));
    }

    private static Path installedIn(Path home) throws Exception {
        Path launcher = Files.copy(Cli.launcher(), home.resolve("pglock"), StandardCopyOption.COPY_ATTRIBUTES);
        String jar = Files.readAllLines(launcher).stream()
                .filter(line -> line.startsWith("jar=$home/"))
                .findFirst()
                .orElseThrow()
                .substring("jar=$home/".length());
        Files.copy(Cli.launcher().resolveSibling(jar), home.resolve(jar));
        return launcher;
    }

    @Test
    void theFolderMayHaveBlanksAndStarsInItsName(@TempDir Path folder) throws Exception {
        Path home = Files.createDirectory(folder.resolve("my * tools [new]"));
        Path launcher = installedIn(home);

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
