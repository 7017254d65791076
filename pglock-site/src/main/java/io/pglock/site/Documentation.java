// SPDX-License-Identifier: Apache-2.0
package io.pglock.site;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The folder of the documentation, as it is on the disk.
 *
 * @param folder of the documentation; the repository is the folder that it is in
 * @param pages the files of Markdown, by their paths below it
 * @param others the paths of all other files
 */
record Documentation(Path folder, NavigableMap<String, Page> pages, NavigableSet<String> others) {

    static Documentation read(Path folder) throws IOException {
        NavigableMap<String, Page> pages = new TreeMap<>();
        NavigableSet<String> others = new TreeSet<>();
        List<Path> files;
        try (Stream<Path> found = Files.walk(folder)) {
            files = found.filter(Files::isRegularFile).toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        for (Path file : files) {
            String path = folder.relativize(file).toString().replace('\\', '/');
            if (path.endsWith(".md")) {
                pages.put(path, Page.parse(path, Files.readString(file).replace("\r\n", "\n")));
            } else {
                others.add(path);
            }
        }
        return new Documentation(folder, pages, others);
    }

    /** Whether the repository has this; a path with {@code /}, from its root. */
    boolean isInRepository(String path) {
        return Files.exists(folder.toAbsolutePath().normalize().resolveSibling(path));
    }
}
