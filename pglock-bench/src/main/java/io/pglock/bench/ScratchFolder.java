// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Files that are there for as long as something is measured. */
public record ScratchFolder(Path path) implements AutoCloseable {

    public static ScratchFolder create() throws IOException {
        return new ScratchFolder(Files.createTempDirectory("pglock-bench"));
    }

    /** Deletes it, with all that is in it. */
    @Override
    public void close() throws IOException {
        List<Path> all;
        try (Stream<Path> files = Files.walk(path)) {
            all = files.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : all) {
            Files.delete(file);
        }
    }
}
