// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The documentation, and the sources that it speaks of. */
final class Docs {

    static final Path ROOT = root();

    private Docs() {}

    /** {@code README.md}, and all of {@code docs/}. */
    static List<Path> pages() {
        List<Path> pages = new ArrayList<>(find(ROOT.resolve("docs"), ".md"));
        pages.add(ROOT.resolve("README.md"));
        return pages;
    }

    static Path page(String name) {
        return ROOT.resolve("docs").resolve(name + ".md");
    }

    /** The Java files of all modules below this folder, as {@code src/main}. */
    static List<Path> sources(String folder) {
        try (Stream<Path> modules = Files.list(ROOT);
                Stream<Path> examples = Files.list(ROOT.resolve("examples"))) {
            return Stream.concat(modules, examples)
                    .map(module -> module.resolve(folder))
                    .filter(Files::isDirectory)
                    .flatMap(sources -> find(sources, ".java").stream())
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<Path> find(Path directory, String suffix) {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> file.toString().endsWith(suffix))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String read(Path file) {
        try {
            return Files.readString(file).replace("\r\n", "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path root() {
        Path directory = Path.of("").toAbsolutePath();
        while (!Files.exists(directory.resolve("README.md"))) {
            directory = directory.getParent();
        }
        return directory;
    }
}
