// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import java.lang.ref.WeakReference;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.DataSource;
import liquibase.database.Database;

/**
 * What code that runs Liquibase itself has said about one of its databases. Immutable; the list of them is thread-safe. Not API.
 *
 * @param dataSource lends the side connection
 * @param settings by key, without any prefix
 */
public record Attachment(DataSource dataSource, Map<String, String> settings) {

    /** By identity: {@code equals} of a database is its connection's. */
    private record Entry(WeakReference<Database> database, Attachment attachment) {}

    private static final List<Entry> ATTACHED = new CopyOnWriteArrayList<>();

    /** @throws IllegalArgumentException when the settings are not right */
    public static void attach(Database database, DataSource dataSource, Map<String, String> settings) {
        PgLockSettings.check(settings);
        ATTACHED.removeIf(
                entry -> entry.database().refersTo(null) || entry.database().refersTo(database));
        ATTACHED.add(new Entry(new WeakReference<>(database), new Attachment(dataSource, Map.copyOf(settings))));
    }

    static Optional<Attachment> of(Database database) {
        return ATTACHED.stream()
                .filter(entry -> entry.database().refersTo(database))
                .map(Entry::attachment)
                .findFirst();
    }
}
