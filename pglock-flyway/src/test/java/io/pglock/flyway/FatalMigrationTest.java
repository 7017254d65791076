// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pglock.testkit.LiveThreads;
import io.pglock.testkit.Scenario;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.flywaydb.core.api.callback.BaseCallback;
import org.flywaydb.core.api.callback.Event;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.core.api.migration.BaseJavaMigration;
import org.flywaydb.core.api.migration.Context;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A migration that ends in a way that Flyway tells no callback of, as with an {@code Error}, or only that all has failed. */
class FatalMigrationTest extends FlywayScene {

    FatalMigrationTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    /** Throws an {@code Error} after some time, if it is to. */
    public static final class V7__Fatal extends BaseJavaMigration {

        private final boolean transactional;
        private final boolean fatal;

        V7__Fatal(boolean transactional, boolean fatal) {
            this.transactional = transactional;
            this.fatal = fatal;
        }

        @Override
        public boolean canExecuteInTransaction() {
            return transactional;
        }

        @Override
        public void migrate(Context context) throws SQLException {
            execute(
                    context.getConnection(),
                    "select pg_sleep(0.2)"); // long enough for the watch to have its connection
            if (fatal) {
                throw new AssertionError("fatal");
            }
            execute(context.getConnection(), "alter table orders add column note text");
        }
    }

    @ParameterizedTest(name = "transactional={0}, pooled={1}")
    @CsvSource({"true, true", "true, false", "false, true", "false, false"})
    void leavesNoThreadNoSessionAndNoGuard(boolean transactional, boolean pooled) throws SQLException {
        try (HikariDataSource pool = pool()) {
            DataSource source = pooled ? pool : dataSource;
            FluentConfiguration flyway = flyway().dataSource(source).javaMigrations(new V7__Fatal(transactional, true));

            assertThatThrownBy(() -> flyway.load().migrate())
                    .isInstanceOf(AssertionError.class)
                    .hasMessage("fatal");

            awaitNoWatch();
            assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
            assertThat(flyway.javaMigrations(new V7__Fatal(transactional, false))
                            .load()
                            .migrate()
                            .migrationsExecuted)
                    .isEqualTo(1);
            assertThat(Guards.open()).isZero();
            awaitNoWatch();
            if (pooled && transactional) {
                assertThat(PooledMigrationTest.settings(pool)).containsOnly("0 0 0");
            }
        }
        assertThat(history()).isEqualTo("7 true");
    }

    /** Hears after pglock that a migration begins, and is against it. */
    public static final class Zealous extends BaseCallback {

        @Override
        public boolean supports(Event event, org.flywaydb.core.api.callback.Context context) {
            return event == Event.BEFORE_EACH_MIGRATE;
        }

        @Override
        public void handle(Event event, org.flywaydb.core.api.callback.Context context) {
            throw new IllegalStateException("not on a Friday");
        }

        @Override
        public String getCallbackName() {
            return "zealous";
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void leavesNothingWhenAnotherCallbackIsAgainstIt(boolean transactional) throws SQLException {
        FlywayInUse.assumeAtLeast("10.22", "Flyway 10.0 does not tell callbacks that one of them has failed");
        try (HikariDataSource pool = pool()) {
            FluentConfiguration flyway = flyway().dataSource(pool)
                    .callbacks(new Zealous())
                    .javaMigrations(new V7__Fatal(transactional, false));

            assertThatThrownBy(() -> flyway.load().migrate()).hasMessageContaining("not on a Friday");

            assertThat(Guards.open()).isZero();
            assertThat(PooledMigrationTest.settings(pool)).containsOnly("0 0 0");
        }
    }

    @Test
    void isReportedAsFailed(@TempDir Path folder) throws Exception {
        Path report = folder.resolve("report.jsonl");
        FluentConfiguration flyway = flyway("pglock.report", report.toString());
        assertThatThrownBy(() ->
                        flyway.javaMigrations(new V7__Fatal(true, true)).load().migrate())
                .isInstanceOf(AssertionError.class);

        flyway.javaMigrations(new V7__Fatal(true, false)).load().migrate();

        assertThat(Files.readAllLines(report))
                .satisfiesExactly(
                        line -> assertThat(line).contains("\"outcome\":\"failed\""),
                        line -> assertThat(line).contains("\"outcome\":\"done\""));
    }

    private HikariDataSource pool() {
        HikariConfig config = new HikariConfig();
        config.setDataSource(dataSource);
        config.setMaximumPoolSize(3);
        return new HikariDataSource(config);
    }

    private void awaitNoWatch() {
        scenario.await(
                "the watch to have noticed that the connection is closed",
                () -> LiveThreads.named("pglock-watch").isEmpty());
    }
}
