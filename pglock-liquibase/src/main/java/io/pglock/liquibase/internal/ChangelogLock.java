// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import java.util.Arrays;
import java.util.Locale;

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

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
