// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import picocli.CommandLine;

/**
 * A program of its own that loads what the commands will need and does nothing with it, so that the JVM can archive the classes
 * ({@code -XX:ArchiveClassesAtExit}) and every later start finds them ready. The build runs it, and the launcher on a JVM for
 * which there is no archive. Not API.
 */
final class Rehearsal {

    private static final List<String> OURS = List.of("io/pglock/", "org/postgresql/");

    private Rehearsal() {}

    /** @param jar the command's own */
    public static void main(String... jar) throws IOException {
        try (JarFile classes = new JarFile(Path.of(jar[0]).toFile())) {
            for (JarEntry entry : Collections.list(classes.entries())) {
                String name = entry.getName();
                if (name.endsWith(".class") && OURS.stream().anyMatch(name::startsWith)) {
                    load(name.substring(0, name.length() - ".class".length()).replace('/', '.'));
                }
            }
        }
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        CommandLine line = new Pglock(Console.ofProcess()).commandLine();
        for (CommandLine command : line.getSubcommands().values()) {
            command.usage(nowhere);
        }
    }

    private static void load(String name) {
        try {
            Class.forName(name, false, Rehearsal.class.getClassLoader());
        } catch (ClassNotFoundException | LinkageError e) {
            // it is for something that is not on board: a socket of Windows, a container
            return;
        }
    }
}
