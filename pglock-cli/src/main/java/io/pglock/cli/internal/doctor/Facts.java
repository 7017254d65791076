// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.doctor;

import io.pglock.cli.internal.Sql;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;

/** What the server says of itself and of the role. Immutable. */
record Facts(
        String role,
        String database,
        String version,
        int majorVersion,
        boolean standby,
        int pid,
        boolean maySignal,
        boolean maySee,
        Duration deadlockTimeout,
        Duration idleTimeout,
        long querySize,
        boolean logsLockWaits,
        long locksEach,
        long sessions,
        long locksInUse,
        Duration clockAhead) {

    static Facts read(Connection connection, Clock clock) throws SQLException {
        DatabaseMetaData reported = connection.getMetaData();
        try (Statement statement = connection.createStatement()) {
            Instant before = clock.instant();
            try (ResultSet row = statement.executeQuery(Sql.DOCTOR_FACTS)) {
                row.next();
                Instant after = clock.instant();
                Instant middle = before.plus(Duration.between(before, after).dividedBy(2));
                boolean superuser = row.getBoolean("superuser");
                return new Facts(
                        row.getString("role"),
                        row.getString("database"),
                        reported.getDatabaseProductVersion(),
                        reported.getDatabaseMajorVersion(),
                        row.getBoolean("standby"),
                        row.getInt("pid"),
                        superuser || row.getBoolean("may_signal"),
                        superuser || row.getBoolean("may_see"),
                        Duration.ofMillis(row.getLong("deadlock_timeout_ms")),
                        Duration.ofMillis(row.getLong("idle_timeout_ms")),
                        row.getLong("query_size"),
                        row.getBoolean("logs_lock_waits"),
                        row.getLong("locks_each"),
                        row.getLong("sessions"),
                        row.getLong("locks_in_use"),
                        Duration.between(middle, Instant.ofEpochMilli(row.getLong("clock_ms"))));
            }
        }
    }

    /** How many locks the server has room for. */
    long slots() {
        return locksEach * sessions;
    }
}
