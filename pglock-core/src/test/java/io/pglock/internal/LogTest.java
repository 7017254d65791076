// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockPolicy;
import io.pglock.testkit.ForkedJvm;
import java.io.IOException;
import java.lang.System.Logger;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ResourceBundle;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.LogManager;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** In a JVM of its own: who logs first decides for the whole JVM, and a log is given once. */
class LogTest {

    /** The log of a host. */
    private static final class Told implements Logger {

        private final List<String> lines = new ArrayList<>();

        @Override
        public String getName() {
            return "a host's";
        }

        @Override
        public boolean isLoggable(Level level) {
            return true;
        }

        @Override
        public void log(Level level, ResourceBundle bundle, String message, Throwable thrown) {
            lines.add(level + " " + message + " " + thrown.getMessage());
        }

        @Override
        public void log(Level level, ResourceBundle bundle, String format, Object... parameters) {
            lines.add(level + " " + format);
        }
    }

    /** Initializes every class of core, logs to a log of its own, and then to the system's. */
    static final class Core {

        private static final AtomicBoolean ASKED = new AtomicBoolean();

        private Core() {}

        public static void main(String[] arguments) throws IOException, URISyntaxException {
            URI core = LockPolicy.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI();
            System.setProperty("java.util.logging.manager", Asked.class.getName());
            int count = 0;
            for (String name : classes(Path.of(core))) {
                initialize(name);
                count++;
            }
            Told told = new Told();
            Log.use(told);
            Log.log(Logger.Level.INFO, "nothing is {0} formatted");
            Log.log(Logger.Level.WARNING, "and", new IllegalStateException("thrown"));
            System.out.println("told " + told.lines);
            System.out.println("more than 100 classes " + (count > 100));
            System.out.println("the system's was asked " + ASKED);
            try {
                Log.use(new Told());
            } catch (IllegalStateException e) {
                System.out.println("refused " + e.getMessage().startsWith("pglock already logs to "));
            }
            System.getLogger("another").log(Logger.Level.INFO, "and now it is");
            System.out.println("after that it was " + ASKED);
        }

        private static List<String> classes(Path root) throws IOException {
            try (Stream<Path> files = Files.walk(root)) {
                return files.map(file -> root.relativize(file).toString())
                        .filter(file -> file.endsWith(".class") && !file.matches(".*(module|package)-info.class"))
                        .map(file ->
                                file.replace(".class", "").replace('/', '.').replace('\\', '.'))
                        .toList();
            }
        }

        private static void initialize(String name) {
            try {
                Class.forName(name);
            } catch (ClassNotFoundException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** The JVM's log manager, of which there is one as soon as anybody logs. */
    public static final class Asked extends LogManager {

        /** Called by the JVM. */
        public Asked() {
            Core.ASKED.set(true);
        }
    }

    @Test
    void noClassBeginsTheLoggingOfTheJvmAndAHostCanTakeItOverOnce() {
        try (ForkedJvm jvm = ForkedJvm.running(Core.class).start()) {
            jvm.awaitLine("told [INFO nothing is {0} formatted, WARNING and thrown]");
            jvm.awaitLine("more than 100 classes true");
            jvm.awaitLine("the system's was asked false");
            jvm.awaitLine("refused true");
            jvm.awaitLine("after that it was true");
        }
    }
}
