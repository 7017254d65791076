// SPDX-License-Identifier: Apache-2.0
package io.pglock.site;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** A repository with a few pages, written to a folder. */
final class SmallDocs {

    private final Path repository;

    private SmallDocs(Path repository) {
        this.repository = repository;
    }

    /** With an {@code index.md} that leads to these pages. */
    static SmallDocs in(Path repository, String... pages) throws IOException {
        var docs = new SmallDocs(repository);
        var index = new StringBuilder("# Home\n\nThe home of all.\n\n## Pages\n\n");
        for (String page : pages) {
            index.append("- [").append(page).append("](").append(page).append(".md)\n");
        }
        return docs.with("docs/index.md", index.toString());
    }

    SmallDocs with(String path, String text) throws IOException {
        Path file = repository.resolve(path);
        Files.createDirectories(Objects.requireNonNull(file.getParent()));
        Files.writeString(file, text);
        return this;
    }

    Path folder() {
        return repository.resolve("docs");
    }

    List<String> problems() throws IOException {
        return Site.of(folder(), "1.0", "").problems().stream()
                .map(Problem::toString)
                .toList();
    }

    String page(String address) throws IOException {
        return page(address, "");
    }

    String page(String address, String forge) throws IOException {
        Site site = Site.of(folder(), "1.0", forge);
        if (!site.problems().isEmpty()) {
            throw new AssertionError(site.problems());
        }
        return new String(
                Objects.requireNonNull(
                        site.files().get(address),
                        () -> address + " is none of " + site.files().keySet()),
                StandardCharsets.UTF_8);
    }
}
