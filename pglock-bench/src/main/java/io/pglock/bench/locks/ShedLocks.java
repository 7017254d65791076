// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import javax.sql.DataSource;
import net.javacrumbs.shedlock.core.ClockProvider;
import net.javacrumbs.shedlock.core.LockConfiguration;
import net.javacrumbs.shedlock.core.LockProvider;
import net.javacrumbs.shedlock.core.SimpleLock;
import net.javacrumbs.shedlock.provider.jdbctemplate.JdbcTemplateLockProvider;
import org.springframework.jdbc.core.JdbcTemplate;

/** ShedLock's provider for {@link JdbcTemplate}: a row for each key. It does not wait. */
final class ShedLocks implements Contender {

    private static final Duration AT_MOST = Duration.ofMinutes(10);

    private final HikariDataSource pool;
    private final LockProvider provider;

    private ShedLocks(DataSource dataSource, int workers, boolean databaseTime) throws SQLException {
        pool = Connections.pool(dataSource, workers);
        var configuration = JdbcTemplateLockProvider.Configuration.builder().withJdbcTemplate(new JdbcTemplate(pool));
        if (databaseTime) {
            configuration.usingDbTime();
        }
        provider = new JdbcTemplateLockProvider(configuration.build());
    }

    /** The time of the JVM counts. */
    static Contender ofTheJvmsTime(DataSource dataSource, int workers) throws SQLException {
        return new ShedLocks(dataSource, workers, false);
    }

    /** The time of the database counts. */
    static Contender ofTheDatabasesTime(DataSource dataSource, int workers) throws SQLException {
        return new ShedLocks(dataSource, workers, true);
    }

    /** The table as ShedLock's documentation has it for PostgreSQL. */
    static void createTable(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("""
                    create table shedlock (name varchar(64) primary key, lock_until timestamp not null,
                        locked_at timestamp not null, locked_by varchar(255) not null)
                    """);
        }
    }

    @Override
    public Hold acquire(int worker, long key) {
        SimpleLock held = provider.lock(
                        new LockConfiguration(ClockProvider.now(), "bench-" + key, AT_MOST, Duration.ZERO))
                .orElseThrow(() -> new IllegalStateException("bench-" + key + " is locked by somebody else"));
        return held::unlock;
    }

    @Override
    public void close() {
        pool.close();
    }
}
