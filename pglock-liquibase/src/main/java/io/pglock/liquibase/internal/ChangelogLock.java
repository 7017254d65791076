// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import liquibase.database.Database;
import liquibase.lockservice.LockService;
import liquibase.lockservice.LockServiceFactory;

/** What keeps two Liquibases from running the same changelog at once: {@code liquibase.pglock.changelogLock}. */
enum ChangelogLock {
    /** A row in Liquibase's own table. */
    TABLE,
    /** A session advisory lock, which ends with its session. */
    ADVISORY,
    /** First the advisory lock, then the row. */
    BOTH;

    static final String KEY = "changelogLock";

    /** @throws IllegalArgumentException naming the key, the value and the right form */
    static ChangelogLock read(String text) {
        return Arrays.stream(values())
                .filter(lock -> lock.name().equalsIgnoreCase(text.strip()))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "pglock: " + KEY + "=" + text + ": write table, advisory or both"));
    }

    /** What to say where it is asked for, and somebody else's lock service is the one that Liquibase uses. */
    static Optional<String> unheeded(Database database) {
        ChangelogLock wanted = PgLockSettings.changelogLock(database);
        LockService used = LockServiceFactory.getInstance().getLockService(database);
        return wanted == TABLE || used instanceof AdvisoryLockService
                ? Optional.empty()
                : Optional.of(KEY + "=" + wanted + " has no effect: "
                        + used.getClass().getName() + " precedes it on the class path, with priority "
                        + used.getPriority() + ".");
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
