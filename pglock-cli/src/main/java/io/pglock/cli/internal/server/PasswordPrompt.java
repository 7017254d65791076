// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.server;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.RandomAccessFile;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Asks for a password, without showing what is typed: at the terminal of this process, wherever its input and output go. {@code
 * pglock ls | less} asks too. Stateless.
 */
final class PasswordPrompt {

    private static final File TERMINAL = new File("/dev/tty");

    private PasswordPrompt() {}

    /** Empty where nobody can be asked. */
    static Optional<String> ask(String question) {
        try (RandomAccessFile terminal = new RandomAccessFile(TERMINAL, "rw")) {
            if (!stty("-echo")) {
                return Optional.empty();
            }
            Thread restore = new Thread(() -> stty("echo"), "pglock-echo"); // Control-C
            Runtime.getRuntime().addShutdownHook(restore);
            try {
                terminal.write((question + ": ").getBytes(StandardCharsets.UTF_8));
                return Optional.ofNullable(new BufferedReader(new InputStreamReader(
                                Channels.newInputStream(terminal.getChannel()), StandardCharsets.UTF_8))
                        .readLine());
            } finally {
                stty("echo");
                Runtime.getRuntime().removeShutdownHook(restore);
                terminal.write('\n');
            }
        } catch (IOException | IllegalStateException e) {
            return Optional.empty(); // there is no terminal, or it is being ended while it asks
        }
    }

    private static boolean stty(String setting) {
        try {
            return new ProcessBuilder("stty", setting)
                            .redirectInput(TERMINAL)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
