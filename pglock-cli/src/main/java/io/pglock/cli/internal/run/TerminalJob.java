// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Whether this process is in the foreground of a terminal. Then Control-C sends its signal to the command as well, which is in the
 * same process group, and to pass it on would be once too often. Stateless.
 */
final class TerminalJob {

    private static final Path STAT = Path.of("/proc/self/stat");

    private TerminalJob() {}

    static boolean isInForeground() {
        try {
            return Files.exists(STAT) ? isInForeground(groupsOfProc()) : isInForeground(groupsOfPs());
        } catch (IOException e) {
            return false;
        }
    }

    /** The group in the foreground of the terminal, if there is one, and one's own. */
    private static boolean isInForeground(List<String> groups) {
        return groups.size() == 2 && groups.get(0).equals(groups.get(1));
    }

    /** After the name of the command, which may have blanks in it: state, parent, group, session, terminal, its foreground. */
    private static List<String> groupsOfProc() throws IOException {
        String stat = Files.readString(STAT);
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return List.of(fields[2], fields[5]);
    }

    private static List<String> groupsOfPs() throws IOException {
        Process ps = new ProcessBuilder(
                        "ps",
                        "-o",
                        "pgid=,tpgid=",
                        "-p",
                        Long.toString(ProcessHandle.current().pid()))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            String printed = new String(ps.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            ps.waitFor(1, TimeUnit.SECONDS);
            return List.of(printed.strip().split("\\s+"));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return List.of();
        }
    }
}
