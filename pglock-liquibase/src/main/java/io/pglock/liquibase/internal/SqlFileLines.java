// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockPolicy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import liquibase.GlobalConfiguration;
import liquibase.Scope;
import liquibase.changelog.DatabaseChangeLog;
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

    private static final SqlFileLines NONE = new SqlFileLines(Map.of());

    private static final Latest<DatabaseChangeLog, SqlFileLines> READ = new Latest<>(SqlFileLines::read);

    private record Name(String author, String id) {}

    private final Map<Name, String> attributes;

    private SqlFileLines(Map<Name, String> attributes) {
        this.attributes = attributes;
    }

    /** Of the file that this changelog is read from; of any other kind, none. */
    static SqlFileLines of(@Nullable DatabaseChangeLog changeLog) {
        return changeLog == null ? NONE : READ.of(changeLog);
    }

    private static SqlFileLines read(DatabaseChangeLog changeLog) {
        @Nullable String path = changeLog.getPhysicalFilePath();
        if (path == null || !path.toLowerCase(Locale.ROOT).endsWith(".sql")) {
            return NONE;
        }
        Map<Name, String> attributes = new HashMap<>();
        try {
            Resource resource = Scope.getCurrentScope().getResourceAccessor().get(path);
            if (!resource.exists()) {
                return NONE;
            }
            Charset charset = Charset.forName(
                    GlobalConfiguration.FILE_ENCODING.getCurrentValue().name());
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(resource.openInputStream(), charset))) {
                for (@Nullable String line = lines.readLine(); line != null; line = lines.readLine()) {
                    Matcher changeset = CHANGESET.matcher(line);
                    if (changeset.matches()) {
                        attributes.put(
                                new Name(unquoted(changeset.group(1)), unquoted(changeset.group(2))),
                                changeset.group(3));
                    }
                }
            }
        } catch (IOException e) {
            return NONE; // Liquibase has read it, and will say so if it could not
        }
        return new SqlFileLines(attributes);
    }

    private static String unquoted(String text) {
        return text.startsWith("\"") ? text.substring(1, text.length() - 1) : text.strip();
    }

    /** @throws IllegalArgumentException when a setting is not right */
    Map<String, String> overrides(@Nullable String author, @Nullable String id) {
        Map<String, String> overrides = new TreeMap<>();
        if (author != null && id != null) {
            List<String> mistakes = new ArrayList<>();
            String line = attributes.getOrDefault(new Name(author, id), "");
            Matcher attribute = ATTRIBUTE.matcher(line);
            while (attribute.find()) {
                try {
                    Overrides.attribute(attribute.group(1), unquoted(attribute.group(2)))
                            .ifPresent(setting -> overrides.put(setting.key(), setting.text()));
                } catch (IllegalArgumentException e) {
                    mistakes.add(author + ":" + id + ": " + e.getMessage());
                }
            }
            Matcher equals = WITH_EQUALS.matcher(line.replaceAll("\"[^\"]*\"", ""));
            while (equals.find()) {
                LockPolicy.nearest(equals.group(1))
                        .ifPresent(meant -> mistakes.add(author + ":" + id + ": pglock: "
                                + equals.group().strip() + ": on the line of a changeset, write " + meant + ":"
                                + equals.group(2)));
            }
            if (!mistakes.isEmpty()) {
                throw new IllegalArgumentException(String.join("; ", mistakes));
            }
        }
        return overrides;
    }
}
