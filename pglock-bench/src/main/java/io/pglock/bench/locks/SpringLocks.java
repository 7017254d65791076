// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.locks.Lock;
import javax.sql.DataSource;
import org.springframework.core.io.ClassPathResource;
import org.springframework.integration.jdbc.lock.DefaultLockRepository;
import org.springframework.integration.jdbc.lock.JdbcLockRegistry;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.init.ScriptUtils;

/** Spring Integration's {@link JdbcLockRegistry} as it is by default: a row for each lock that is held, looked at every 100 ms. */
final class SpringLocks implements Contender {

    private final HikariDataSource pool;
    private final DefaultLockRepository repository;
    private final JdbcLockRegistry registry;

    SpringLocks(DataSource dataSource, int workers) throws SQLException {
        pool = Connections.pool(dataSource, workers);
        repository = new DefaultLockRepository(pool);
        repository.setTransactionManager(new DataSourceTransactionManager(pool));
        repository.afterPropertiesSet();
        repository.afterSingletonsInstantiated();
        repository.start();
        registry = new JdbcLockRegistry(repository);
    }

    /** As Spring Integration's own script creates them. */
    static void createTables(Connection connection) {
        ScriptUtils.executeSqlScript(
                connection, new ClassPathResource("org/springframework/integration/jdbc/schema-postgresql.sql"));
    }

    @Override
    public Hold acquire(int worker, long key) {
        Lock lock = registry.obtain(Long.toString(key));
        lock.lock();
        return lock::unlock;
    }

    @Override
    public void close() {
        repository.stop();
        pool.close();
    }
}
