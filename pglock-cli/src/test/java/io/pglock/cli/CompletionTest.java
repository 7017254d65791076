// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompletionTest {

    @TempDir
    private static Path folder;

    private static Path script;

    @BeforeAll
    static void printsTheScript() throws IOException {
        script = Files.writeString(
                folder.resolve("pglock.sh"),
                Cli.bare().run("completion").succeeded().out());
    }

    @Test
    void bashCompletesCommandsAndOptions() throws Exception {
        assertThat(completions("bash", "tr")).contains("tree", "trace");
        assertThat(completions("bash", "ls", "--bl")).contains("--blocking");
    }

    @Test
    void zshCompletesThemToo() throws Exception {
        assumeTrue(
                new ProcessBuilder("sh", "-c", "command -v zsh").start().waitFor() == 0,
                "there is no zsh here: its completion is not tested");
        // its completion of bash's scripts wants a terminal, but the function that it calls is the one of bash
        assertThat(completions("zsh", "tr")).contains("tree", "trace");
    }

    private static String completions(String shell, String... words) throws IOException, InterruptedException {
        String line = "pglock " + String.join(" ", words);
        String zsh = shell.equals("zsh") ? "autoload -U compinit; compinit -u; " : "";
        Process process = new ProcessBuilder(
                        shell,
                        "-c",
                        zsh + ". \"$1\"; COMP_WORDS=(" + line + "); COMP_CWORD=" + words.length + "; COMP_LINE='" + line
                                + "'; _complete_pglock; echo \"${COMPREPLY[@]}\"",
                        shell,
                        script.toString())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).as("ends").isTrue();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
}
