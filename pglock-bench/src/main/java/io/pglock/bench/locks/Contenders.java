// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import javax.sql.DataSource;

/** Everybody who takes part. */
enum Contenders {
    FLOOR("two select 1", false, PreparedPairs::floor),
    RAW("pgjdbc", true, PreparedPairs::locks),
    PG_LOCK("PgLock", true, PgLocks::new),
    LOCK_CLIENT("LockClient", true, (dataSource, workers) -> new ClientLocks(dataSource)),
    SHEDLOCK("ShedLock JdbcTemplate", false, ShedLocks::ofTheJvmsTime),
    SHEDLOCK_DATABASE_TIME("ShedLock JdbcTemplate, usingDbTime", false, ShedLocks::ofTheDatabasesTime),
    SPRING("Spring JdbcLockRegistry", true, SpringLocks::new),
    QUARTZ("Quartz StdRowLockSemaphore", true, QuartzLocks::new);

    private final String label;
    private final boolean waits;
    private final Opening opening;

    Contenders(String label, boolean waits, Opening opening) {
        this.label = label;
        this.waits = waits;
        this.opening = opening;
    }

    /** Those that do what is asked for, in the order in which they are listed. */
    static List<Contenders> which(Predicate<Contenders> wanted) {
        return Arrays.stream(values()).filter(wanted).toList();
    }

    /** What the peers need in a database. */
    static void createTables(Connection connection) throws SQLException {
        ShedLocks.createTable(connection);
        SpringLocks.createTables(connection);
        QuartzLocks.createTables(connection);
    }

    /** As the page names it. */
    String label() {
        return label;
    }

    /** Whether it is pglock's. */
    boolean isOurs() {
        return this == PG_LOCK || this == LOCK_CLIENT;
    }

    /** Whether it can wait for a lock that somebody else holds. */
    boolean waits() {
        return waits;
    }

    /** @param workers how many there are, numbered from 0 */
    Contender open(DataSource dataSource, int workers) throws SQLException {
        return opening.open(dataSource, workers);
    }

    @FunctionalInterface
    private interface Opening {

        Contender open(DataSource dataSource, int workers) throws SQLException;
    }
}
