// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import io.zonky.test.db.postgres.util.LinuxUtils;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** {@code pg_ctl} for one data directory, run the way that the embedded server itself was started. */
record PgCtl(Path dataDirectory) {

    /** Waits until it is done, a minute at most: the default of {@code pg_ctl}. */
    void run(String action, String... options) {
        try {
            List<String> command = command(action, options);
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            // With a log of its own the server does not keep this stream open.
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int exitCode = process.waitFor();
            if (exitCode != 0) {
                throw new IllegalStateException(
                        String.join(" ", command) + " ended with " + exitCode + ":\n" + said + tail(log()));
            }
        } catch (IOException e) {
            throw new IllegalStateException("pg_ctl " + action + " in " + dataDirectory + ": " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for pg_ctl " + action, e);
        }
    }

    private List<String> command(String action, String... options) throws IOException {
        List<String> command = new ArrayList<>();
        if (LinuxUtils.isUnshareAvailable()) {
            command.addAll(List.of("unshare", "-U"));
        }
        command.add(program().toString());
        command.addAll(List.of(action, "-w", "-D", dataDirectory.toString(), "-l", log().toString()));
        command.addAll(List.of(options));
        return command;
    }

    /** It is where the server is, whose command line its data directory remembers: {@code /some/bin/postgres "-D" ...}. */
    private Path program() throws IOException {
        String commandLine = Files.readString(dataDirectory.resolve("postmaster.opts"));
        Path postgres = Path.of(commandLine.substring(0, commandLine.indexOf(" \"")));
        return postgres.resolveSibling(postgres.getFileName().toString().replace("postgres", "pg_ctl"));
    }

    private Path log() {
        String file = System.getProperty("pglock.test.log", "");
        return file.isEmpty() ? dataDirectory.resolve("restarted.log") : Path.of(file);
    }

    private static String tail(Path log) throws IOException {
        if (!Files.exists(log)) {
            return "";
        }
        List<String> lines = Files.readAllLines(log);
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
    }
}
