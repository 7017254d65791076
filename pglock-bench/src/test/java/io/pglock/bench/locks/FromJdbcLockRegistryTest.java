// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockClient;
import io.pglock.testkit.PostgresTest;
import java.sql.Connection;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.springframework.integration.jdbc.lock.DefaultLockRepository;
import org.springframework.integration.jdbc.lock.JdbcLockRegistry;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;

/** What {@code docs/from-jdbc-lock-registry.md} shows, run: before and after. */
@PostgresTest
class FromJdbcLockRegistryTest {

    private int transfers;

    @Test
    void before(Connection connection, DataSource dataSource) throws InterruptedException {
        SpringLocks.createTables(connection);
        // docs: registry-before
        DefaultLockRepository repository = new DefaultLockRepository(dataSource);
        repository.setTransactionManager(new DataSourceTransactionManager(dataSource));
        repository.afterPropertiesSet();
        repository.afterSingletonsInstantiated();
        repository.start();
        JdbcLockRegistry registry = new JdbcLockRegistry(repository, Duration.ofSeconds(30));

        Lock lock = registry.obtain("account:17");
        // end
        transfer(lock);
        repository.stop();
        assertThat(transfers).isOne();
    }

    @Test
    void after(DataSource dataSource) throws InterruptedException {
        // docs: registry-after
        LockClient client = LockClient.create(dataSource); // closed with the application

        Lock lock = client.lock("account:17");
        // end
        transfer(lock);
        client.close();
        assertThat(transfers).isOne();
    }

    private void transfer(Lock lock) throws InterruptedException {
        // docs: registry-same
        if (lock.tryLock(2, TimeUnit.SECONDS)) {
            try {
                transfer();
            } finally {
                lock.unlock();
            }
        }
        // end
    }

    private void transfer() {
        transfers++;
    }
}
