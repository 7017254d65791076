// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Changelogs in a folder. */
record Changelog(Path folder) {

    private static final String XML = """
            <databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog"
                xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
                xmlns:pglock="http://pglock.io/xml/ns/pglock"
                xsi:schemaLocation="http://www.liquibase.org/xml/ns/dbchangelog http://www.liquibase.org/xml/ns/dbchangelog/dbchangelog-latest.xsd">
            %s
            </databaseChangeLog>
            """;

    /** A file of that name, as it is. */
    Changelog with(String name, String text) {
        try {
            Files.createDirectories(folder.resolve(name).getParent());
            Files.writeString(folder.resolve(name), text);
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@code changelog.xml}, of these changesets. */
    Changelog xml(String changeSets) {
        return with("changelog.xml", XML.formatted(changeSets));
    }
}
