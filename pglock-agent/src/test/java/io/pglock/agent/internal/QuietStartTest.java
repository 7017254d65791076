// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuietStartTest {

    @Test
    void startsNoLoggingSystemAndNoMBeanServerOfItsOwn(@TempDir Path folder) throws Exception {
        Path toml = Files.writeString(
                folder.resolve("agent.toml"), "[agent]\n[[agent.targets]]\ntarget = \"com.acme.FromToml#run\"\n");
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        Process jvm = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-verbose:class",
                        "-cp",
                        System.getProperty("java.class.path"),
                        QuietStart.class.getName(),
                        toml.toString())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        boolean ended = jvm.waitFor(60, TimeUnit.SECONDS);
        jvm.destroyForcibly();
        List<String> lines = Files.readAllLines(out);

        assertThat(ended).as("the JVM has ended by itself").isTrue();
        assertThat(jvm.exitValue()).as(() -> "as " + err + " says").isZero();
        assertThat(lines).contains(QuietStart.STARTED, "servers: 0", "before: false", "after: true");
        assertThat(lines.subList(0, lines.indexOf(QuietStart.STARTED)))
                .as("classes that are loaded before the application does anything")
                .anyMatch(line -> line.contains("org.tomlj.Toml "))
                .noneMatch(line -> line.contains(" java.util.logging.")
                        || line.contains("LoggerFinder")
                        || line.contains(" java.lang.management.ManagementFactory ")
                        || line.contains(" org.postgresql."));
        assertThat(Files.readString(err))
                .contains("[pglock] ERROR there is no setting lokTimeout")
                .contains("[pglock] INFO  2 targets")
                .contains("[pglock] WARN  com.acme.Job has no method run; it has none at all");
    }
}
