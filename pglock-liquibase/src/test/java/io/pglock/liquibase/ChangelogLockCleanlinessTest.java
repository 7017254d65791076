// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pglock.testkit.PgBouncer;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import io.pglock.testkit.TcpProxy;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.concurrent.FutureTask;
import javax.sql.DataSource;
import liquibase.exception.LockException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a changelog lock leaves behind, also where it, or its connection, is lost; and where there is none to be had. */
@Proves(Capability.CHANGELOG_LOCK)
class ChangelogLockCleanlinessTest extends ChangelogLockScene {

    private static final String CLIENT_CHECK =
            "coalesce(current_setting('client_connection_check_interval', true), 'none')";

    ChangelogLockCleanlinessTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    private HikariDataSource poolOfOne(String init) {
        HikariConfig config = new HikariConfig();
        config.setDataSource(database().dataSource("pooled"));
        config.setMaximumPoolSize(1);
        config.setConnectionInitSql(init);
        return new HikariDataSource(config);
    }

    private static String onPool(HikariDataSource pool, String sql) throws SQLException {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    @ParameterizedTest
    @CsvSource({"advisory, true", "advisory, false", "both, true", "both, false"})
    void thePooledSessionIsAsItWas(String mode, boolean succeeds) throws Exception {
        String state = "select concat_ws(' ', " + CLIENT_CHECK + ", current_setting('lock_timeout'), pg_backend_pid())";
        try (HikariDataSource pool = poolOfOne("set lock_timeout = '71s'")) {
            String before = onPool(pool, state);
            changelog("insert into inside values (" + CLIENT_CHECK + ");", succeeds ? "select 1;" : "select 1/0;");

            Throwable failure = catchThrowable(() -> with(pool, lock(mode), this::update));

            assertThat(failure == null).isEqualTo(succeeds);
            assertThat(onPool(pool, state)).isEqualTo(before);
            assertThat(value(ADVISORY_LOCKS)).isEqualTo("0");
        }
        assertThat(value("select who from inside"))
                .isEqualTo(value("select " + CLIENT_CHECK).equals("none") ? "none" : "1s");
    }

    @Test
    void aClientCheckOfTheUsersOwnStays() throws Exception {
        PostgresServer.shared().assumeAtLeast(14);
        String state = "select " + CLIENT_CHECK;
        try (HikariDataSource pool = poolOfOne("set client_connection_check_interval = '7s'")) {
            changelog("insert into inside values (" + CLIENT_CHECK + ");");
            with(pool, lock("advisory"), this::update);

            assertThat(value("select who from inside")).isEqualTo("7s");
            assertThat(onPool(pool, state)).isEqualTo("7s");
        }
        try (HikariDataSource pool = poolOfOne("select 1")) {
            changelog(
                    "insert into inside values (" + CLIENT_CHECK + ");",
                    "set client_connection_check_interval = '9s';");
            with(pool, lock("advisory"), this::update);

            assertThat(onPool(pool, state)).isEqualTo("9s");
        }
    }

    @Test
    void itIsToldWhenTheLockWasGoneBeforeItWasReleased() throws Exception {
        with(dataSource, lock("advisory"), database -> {
            lockOf(database).waitForLock();
            Connection connection =
                    ((liquibase.database.jvm.JdbcConnection) database.getConnection()).getUnderlyingConnection();
            execute(connection, "select pg_advisory_unlock_all()");

            assertThatThrownBy(() -> lockOf(database).releaseLock())
                    .isInstanceOf(LockException.class)
                    .hasMessageContaining("was not held any more when it was to be released");
            assertThatCode(() -> lockOf(database).releaseLock()).doesNotThrowAnyException();
            return true;
        });
    }

    @Test
    void releasingWhatIsNotHeldTakesNothingFromWhoeverHoldsIt() throws Exception {
        with(dataSource, lock("both"), holder -> {
            lockOf(holder).waitForLock();
            with(dataSource, lock("both"), other -> {
                lockOf(other).releaseLock();
                return true;
            });
            assertThat(value("select locked from databasechangeloglock")).isEqualTo("t");
            assertThat(value(ADVISORY_LOCKS)).isEqualTo("1");
            lockOf(holder).releaseLock();
            return true;
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"advisory", "both"})
    void theLossOfTheConnectionIsTheErrorAndNotWhatFollowsFromIt(String mode) throws Exception {
        assumeTrue(
                getClass().getResource("/com/datical/liquibase/ext/command/ProUpdateCommandStep.class") == null,
                "liquibase-commercial asks the lost connection for its URL, and reports that this fails");
        changelog("select 1;");
        update(lock(mode));
        Session gate = scenario.session("gate");
        gate.begin();
        gate.execute("lock table gate");
        changelog("select 1;", BEHIND_THE_GATE);
        FutureTask<Boolean> one = updating("one", lock(mode));
        awaitInside("one");

        value("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'one'");

        assertThatThrownBy(() -> await(one))
                .hasRootCauseInstanceOf(SQLException.class)
                .rootCause()
                .hasMessageContaining("terminating connection due to administrator command");
        assertThat(value(ADVISORY_LOCKS)).isEqualTo("0");
        gate.commit();
        update(lock(mode));
        assertThat(applied()).isEqualTo("1 2");
    }

    @Test
    void releasingAfterTheConnectionIsLostIsNoFailureOfItsOwn() throws Exception {
        with(database().dataSource("lost"), lock("advisory"), database -> {
            lockOf(database).waitForLock();
            value("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lost'");
            assertThatCode(() -> lockOf(database).releaseLock()).doesNotThrowAnyException();
            assertThat(lockOf(database).hasChangeLogLock()).isFalse();
            return true;
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"advisory", "both"})
    void isRefusedWhereASessionIsNotOnesOwn(String mode) throws Exception {
        try (TcpProxy proxy = TcpProxy.to(
                        database().server().host(), database().server().port())
                .rewriteBackendKey()) {
            assertRefused(proxy.dataSource(database()), mode, "is behind a pooler", "direct connection to the primary");
        }
        try (PgBouncer bouncer = PgBouncer.startOrSkip(database(), "transaction")) {
            assertRefused(bouncer.dataSource(), mode, "is behind a pooler", "direct connection to the primary");
        }
    }

    @Test
    void isRefusedOnAStandby() throws Exception {
        try (PostgresServer standby = PostgresServer.startStandby()) {
            assertRefused(
                    standby.maintenance().dataSource(), "advisory", "hot standby", "direct connection to the primary");
        }
    }

    private void assertRefused(DataSource source, String mode, String... parts) throws Exception {
        with(source, lock(mode), database -> {
            assertThatThrownBy(() -> lockOf(database).waitForLock())
                    .isInstanceOf(LockException.class)
                    .hasMessageStartingWith("pglock: changelogLock=" + mode + ": ")
                    .hasMessageContainingAll(parts);
            return true;
        });
        assertThat(value("select count(*) from pg_class where relname like 'databasechangelog%'"))
                .isEqualTo("0");
        assertThat(value(ADVISORY_LOCKS)).isEqualTo("0");
    }

    @Test
    void otherDatabasesKeepTheirOwnLock() throws Exception {
        try (Connection h2 = java.sql.DriverManager.getConnection("jdbc:h2:mem:changelog")) {
            String service = with(
                    h2,
                    Map.of("pglock.changelogLock", "advisory"),
                    database -> lockOf(database).getClass().getSimpleName());
            assertThat(service).isEqualTo("StandardLockService");
        }
    }
}
