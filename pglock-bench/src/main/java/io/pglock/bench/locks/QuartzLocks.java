// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.quartz.impl.jdbcjobstore.Constants;
import org.quartz.impl.jdbcjobstore.LockException;
import org.quartz.impl.jdbcjobstore.StdRowLockSemaphore;
import org.springframework.core.io.ClassPathResource;
import org.springframework.jdbc.datasource.init.ScriptUtils;

/** Quartz's row lock, in a transaction on a pooled connection, as its job store takes it. */
final class QuartzLocks implements Contender {

    private final HikariDataSource pool;
    private final StdRowLockSemaphore semaphore;

    QuartzLocks(DataSource dataSource, int workers) throws SQLException {
        pool = Connections.pool(dataSource, workers);
        semaphore = new StdRowLockSemaphore(Constants.DEFAULT_TABLE_PREFIX, "bench", null);
    }

    /** As Quartz's own script creates them. */
    static void createTables(Connection connection) {
        ScriptUtils.executeSqlScript(
                connection, new ClassPathResource("org/quartz/impl/jdbcjobstore/tables_postgres.sql"));
    }

    @Override
    public Hold acquire(int worker, long key) throws SQLException, LockException {
        String name = "bench-" + key;
        Connection connection = pool.getConnection();
        connection.setAutoCommit(false);
        semaphore.obtainLock(connection, name);
        return () -> {
            connection.commit();
            semaphore.releaseLock(name);
            connection.close();
        };
    }

    @Override
    public void close() {
        pool.close();
    }
}
