// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockPolicy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import liquibase.GlobalConfiguration;
import liquibase.Scope;
import liquibase.changelog.ChangeLogParameters;
import liquibase.changelog.DatabaseChangeLog;
import liquibase.exception.UnknownChangeLogParameterException;
import liquibase.resource.Resource;
import org.jspecify.annotations.Nullable;

/**
 * The lines of a formatted SQL file that begin changesets, with what Liquibase passes over in them: {@code --changeset bob:1
 * lockTimeout:5s}. Read once for each file that is parsed. Immutable; thread-safe.
 */
final class SqlFileLines {

    private static final Pattern CHANGESET = Pattern.compile(
            "\\s*--\\s*changeset\\s+(\"[^\"]+\"|[^:]+):\\s*(\"[^\"]+\"|\\S+)(.*)", Pattern.CASE_INSENSITIVE);

    private static final Pattern ATTRIBUTE = Pattern.compile("(?:^|\\s)((?:pglock[:.])?[A-Za-z]+):(\"[^\"]*\"|\\S*)");

    /** A setting with the sign of the comments; behind a colon it is a part of a value. */
    private static final Pattern WITH_EQUALS = Pattern.compile("(?:^|\\s)(?:pglock[:.])?([A-Za-z]+)=(\\S*)");

    private static final Pattern DBMS = Pattern.compile("(?:^|\\s)dbms:(\"[^\"]*\"|\\S*)", Pattern.CASE_INSENSITIVE);

    private static final SqlFileLines NONE = new SqlFileLines(List.of());

    private static final Latest<DatabaseChangeLog, SqlFileLines> READ = new Latest<>(SqlFileLines::read);

    /** As it is written, but without the quotes around the two; {@code attributes} is the rest of it. */
    private record Line(String author, String id, String attributes) {

        Line expanded(DatabaseChangeLog changeLog) {
            return new Line(
                    SqlFileLines.expanded(author, changeLog),
                    SqlFileLines.expanded(id, changeLog),
                    SqlFileLines.expanded(attributes, changeLog));
        }

        boolean hasParameters() {
            return (author + id + attributes).contains("${");
        }

        boolean isOf(String itsAuthor, String itsId) {
            return author.equals(itsAuthor) && id.equals(itsId);
        }

        boolean isFor(@Nullable String dbms) {
            Matcher said = DBMS.matcher(attributes);
            return bare(said.find() ? said.group(1) : "").equals(bare(dbms == null ? "" : dbms));
        }

        private static String bare(String list) {
            return list.replaceAll("[\\s\"]", "").toLowerCase(Locale.ROOT);
        }
    }

    /** By author and id; those whose names are parameters, or have such in them, apart. */
    private final Map<List<String>, List<Line>> plain;

    private final List<Line> withParameters;

    private SqlFileLines(List<Line> lines) {
        plain = lines.stream()
                .filter(line -> !line.hasParameters())
                .collect(Collectors.groupingBy(line -> List.of(line.author(), line.id())));
        withParameters = lines.stream().filter(Line::hasParameters).toList();
    }

    /**
     * What the line of this changeset says, in the file that its changelog is read from; in any other kind of file, nothing.
     *
     * @param dbms what Liquibase has read there: one file may have a changeset for each kind of database under one name
     * @throws IllegalArgumentException when a setting is not right, or it cannot be told which line it is
     */
    static Map<String, String> overrides(
            @Nullable DatabaseChangeLog changeLog,
            @Nullable String author,
            @Nullable String id,
            @Nullable String dbms) {
        if (changeLog == null || author == null || id == null) {
            return Map.of();
        }
        List<Line> named = READ.of(changeLog).named(changeLog, author, id);
        List<Line> meant = named.stream().filter(line -> line.isFor(dbms)).toList();
        List<Map<String, String>> settings = (meant.isEmpty() ? named : meant)
                .stream().map(SqlFileLines::settings).distinct().toList();
        if (settings.size() > 1) {
            throw new IllegalArgumentException(
                    author + ":" + id + ": pglock: "
                            + changeLog.getPhysicalFilePath()
                            + " has several lines that begin with this name, and different"
                            + " settings in them; write each in the comment of its changeset: --comment: pglock lockTimeout=5s");
        }
        return settings.isEmpty() ? Map.of() : settings.get(0);
    }

    private List<Line> named(DatabaseChangeLog changeLog, String author, String id) {
        return Stream.concat(
                        plain.getOrDefault(List.of(author, id), List.of()).stream(),
                        withParameters.stream().map(line -> line.expanded(changeLog)))
                .filter(line -> line.isOf(author, id))
                .toList();
    }

    /** By the parameters that there are so far, as Liquibase does it when it comes to the line. */
    private static String expanded(String text, DatabaseChangeLog changeLog) {
        @Nullable ChangeLogParameters parameters = changeLog.getChangeLogParameters();
        try {
            return parameters == null ? text : parameters.expandExpressions(text, changeLog);
        } catch (UnknownChangeLogParameterException e) {
            return text; // Liquibase says so where that is an error
        }
    }

    private static SqlFileLines read(DatabaseChangeLog changeLog) {
        @Nullable String path = changeLog.getPhysicalFilePath();
        if (path == null || !path.toLowerCase(Locale.ROOT).endsWith(".sql")) {
            return NONE;
        }
        List<Line> lines = new ArrayList<>();
        try {
            Resource resource = Scope.getCurrentScope().getResourceAccessor().get(path);
            if (!resource.exists()) {
                return NONE;
            }
            Charset charset = Charset.forName(
                    GlobalConfiguration.FILE_ENCODING.getCurrentValue().name());
            try (BufferedReader file = new BufferedReader(new InputStreamReader(resource.openInputStream(), charset))) {
                for (@Nullable String line = file.readLine(); line != null; line = file.readLine()) {
                    Matcher changeset = CHANGESET.matcher(line);
                    if (changeset.matches()) {
                        lines.add(new Line(
                                unquoted(changeset.group(1)), unquoted(changeset.group(2)), changeset.group(3)));
                    }
                }
            }
        } catch (IOException e) {
            return NONE; // Liquibase has read it, and will say so if it could not
        }
        return new SqlFileLines(lines);
    }

    private static String unquoted(String text) {
        return text.startsWith("\"") ? text.substring(1, text.length() - 1) : text.strip();
    }

    private static Map<String, String> settings(Line line) {
        Map<String, String> overrides = new TreeMap<>();
        List<String> mistakes = new ArrayList<>();
        String name = line.author() + ":" + line.id() + ": ";
        Matcher attribute = ATTRIBUTE.matcher(line.attributes());
        while (attribute.find()) {
            try {
                Overrides.attribute(attribute.group(1), unquoted(attribute.group(2)))
                        .ifPresent(setting -> overrides.put(setting.key(), setting.text()));
            } catch (IllegalArgumentException e) {
                mistakes.add(name + e.getMessage());
            }
        }
        Matcher equals = WITH_EQUALS.matcher(line.attributes().replaceAll("\"[^\"]*\"", ""));
        while (equals.find()) {
            LockPolicy.nearest(equals.group(1))
                    .ifPresent(meant ->
                            mistakes.add(name + "pglock: " + equals.group().strip()
                                    + ": on the line of a changeset, write " + meant + ":" + equals.group(2)));
        }
        if (!mistakes.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", mistakes));
        }
        return overrides;
    }
}
