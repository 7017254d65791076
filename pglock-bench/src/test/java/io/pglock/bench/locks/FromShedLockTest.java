// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockClient;
import io.pglock.annotation.OnTimeout;
import io.pglock.annotation.WithAdvisoryLock;
import io.pglock.testkit.PostgresTest;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import javax.sql.DataSource;
import net.javacrumbs.shedlock.core.DefaultLockingTaskExecutor;
import net.javacrumbs.shedlock.core.LockConfiguration;
import net.javacrumbs.shedlock.core.LockProvider;
import net.javacrumbs.shedlock.core.LockingTaskExecutor;
import net.javacrumbs.shedlock.provider.jdbctemplate.JdbcTemplateLockProvider;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;

/** What {@code docs/from-shedlock.md} shows, run: before and after. */
@PostgresTest
class FromShedLockTest {

    private int reports;

    @Test
    void before(Connection connection, DataSource dataSource) throws SQLException {
        ShedLocks.createTable(connection);
        // docs: shedlock-before
        LockProvider provider = new JdbcTemplateLockProvider(JdbcTemplateLockProvider.Configuration.builder()
                .withJdbcTemplate(new JdbcTemplate(dataSource))
                .usingDbTime()
                .build());
        LockingTaskExecutor executor = new DefaultLockingTaskExecutor(provider);

        executor.executeWithLock(
                (Runnable) this::report,
                new LockConfiguration(Instant.now(), "nightly-report", Duration.ofMinutes(30), Duration.ofSeconds(10)));
        // end
        assertThat(reports).isOne();
    }

    @Test
    void after(DataSource dataSource) {
        // docs: shedlock-after
        LockClient client = LockClient.create(dataSource); // closed with the application

        boolean ran = client.advisory("nightly-report").timeout(Duration.ZERO).tryRun(() -> report());
        // end
        client.close();
        assertThat(ran).isTrue();
        assertThat(reports).isOne();
    }

    // docs: shedlock-annotation
    @WithAdvisoryLock(value = "nightly-report", onTimeout = OnTimeout.SKIP)
    void nightlyReport() {
        report();
    }
    // end

    @Test
    void anAnnotationDoesNothingByItself() {
        nightlyReport();
        assertThat(reports).isOne();
    }

    @Test
    void onceADay(Connection connection, DataSource dataSource) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            // docs: shedlock-once-table
            statement.execute("create table job_run (job text, day date, primary key (job, day))");
            // end
        }
        try (LockClient client = LockClient.create(dataSource)) {
            for (int instance = 1; instance <= 2; instance++) {
                // docs: shedlock-once
                client.advisory("nightly-report").timeout(Duration.ZERO).tryRun(() -> {
                    if (isFirst(connection, "nightly-report", LocalDate.now(ZoneOffset.UTC))) {
                        report();
                    }
                });
                // end
            }
        }
        assertThat(reports).isOne();
    }

    // docs: shedlock-is-first
    private static boolean isFirst(Connection connection, String job, LocalDate day) throws SQLException {
        try (PreparedStatement insert =
                connection.prepareStatement("insert into job_run values (?, ?) on conflict do nothing")) {
            insert.setString(1, job);
            insert.setObject(2, day);
            return insert.executeUpdate() == 1;
        }
    }
    // end

    private void report() {
        reports++;
    }
}
