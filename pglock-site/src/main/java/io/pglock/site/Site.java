// SPDX-License-Identifier: Apache-2.0
package io.pglock.site;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Makes a site of the pages under {@code docs/}: files that work from any server, and from a disk. The same pages are always the
 * same bytes.
 */
public final class Site {

    private static final List<String> RESOURCES = List.of("icon.svg", "site.js", "style.css");

    private final NavigableMap<String, byte[]> files = new TreeMap<>();
    private final NavigableSet<Problem> problems = new TreeSet<>();

    private Site() {}

    /**
     * Writes a site, or fails with all that is wrong with its pages.
     *
     * @param arguments {@code --docs=}, the folder of the documentation; {@code --output=}, the folder of the site, which is
     *     emptied; {@code --version=}; {@code --repository=}, what the path of a file of the repository is appended to, or nothing
     * @throws IllegalStateException if a reader would stumble; file and line of everything are on the error output
     */
    public static void main(String... arguments) throws IOException {
        Map<String, String> options = new HashMap<>();
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            options.put(argument.substring(0, equals), argument.substring(equals + 1));
        }
        Path docs = Path.of(Objects.requireNonNull(options.get("--docs")))
                .toAbsolutePath()
                .normalize();
        Path output = Path.of(Objects.requireNonNull(options.get("--output")));
        Site site = of(docs, options.getOrDefault("--version", ""), options.getOrDefault("--repository", ""));
        if (!site.problems.isEmpty()) {
            site.problems.forEach(problem -> System.err.println(docs.getFileName() + "/" + problem));
            throw new IllegalStateException("the documentation has " + site.problems.size()
                    + " problems, each told above with its file and line; the first: " + docs.getFileName() + "/"
                    + site.problems.first());
        }
        site.write(output);
    }

    /**
     * Makes a site without writing it.
     *
     * @param docs the folder of the documentation
     * @param repository what the path of a file of the repository is appended to, or empty if it is nowhere to be seen
     */
    static Site of(Path docs, String version, String repository) throws IOException {
        var site = new Site();
        site.make(Documentation.read(docs), version, repository);
        return site;
    }

    /** By their paths below the root of the site. */
    NavigableMap<String, byte[]> files() {
        return files;
    }

    NavigableSet<Problem> problems() {
        return problems;
    }

    private void make(Documentation documentation, String version, String repository) throws IOException {
        Consumer<Problem> found = problems::add;
        Navigation navigation = Navigation.of(documentation, found);
        var links = new Links(documentation);
        var template = new Template(new String(resource("page.html"), StandardCharsets.UTF_8), navigation, version);
        var search = new SearchIndex();
        NavigableSet<String> assets = new TreeSet<>();
        for (Page page : documentation.pages().values()) {
            if (page.title().isEmpty()) {
                found.accept(new Problem(page.path(), 1, "does not begin with a title: # ..."));
            }
            var body = new Body(page, links, repository, found);
            assets.addAll(body.assets());
            files.put(page.address(), template.fill(page, body).getBytes(StandardCharsets.UTF_8));
        }
        navigation.pages().forEach(search::add);
        files.put("search-index.js", search.script().getBytes(StandardCharsets.UTF_8));
        for (String name : RESOURCES) {
            files.put(name, resource(name));
        }
        for (String asset : assets) {
            files.put(asset, Files.readAllBytes(documentation.folder().resolve(asset)));
        }
    }

    private void write(Path output) throws IOException {
        empty(output);
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            Path path = output.resolve(file.getKey());
            Files.createDirectories(Objects.requireNonNull(path.getParent()));
            Files.write(path, file.getValue());
        }
    }

    private static void empty(Path folder) throws IOException {
        List<Path> found = new ArrayList<>();
        if (Files.exists(folder)) {
            try (Stream<Path> walk = Files.walk(folder)) {
                walk.forEach(path -> found.add(0, path));
            } catch (UncheckedIOException e) {
                throw e.getCause();
            }
        }
        for (Path path : found) {
            Files.delete(path);
        }
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = Objects.requireNonNull(Site.class.getResourceAsStream(name), name)) {
            return in.readAllBytes();
        }
    }
}
