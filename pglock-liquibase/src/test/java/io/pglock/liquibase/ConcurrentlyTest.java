// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.function.Function;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code CREATE INDEX CONCURRENTLY} waits for the end of every older snapshot, and leaves an invalid index when it fails. */
@Proves(Capability.CONCURRENTLY)
class ConcurrentlyTest extends LiquibaseScene {

    ConcurrentlyTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    @BeforeEach
    void anIndexOnOrders() {
        changelog.xml("""
                <changeSet id="1" author="bob" runInTransaction="false">
                  <sql>create index concurrently orders_id on orders (id)</sql>
                </changeSet>
                """);
    }

    private String isValid() {
        return value("select indisvalid from pg_index where indexrelid = 'orders_id'::regclass");
    }

    private void awaitInvalid() {
        scenario.await(
                "the index is there, and not valid",
                () -> value(
                                "select count(*) from pg_index where indexrelid = to_regclass('orders_id') and not indisvalid")
                        .equals("1"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void outlastsALongTransactionOnAnotherTable(boolean madeByAProgram) throws Exception {
        assertOutlastsALongTransactionOnAnotherTable(settings -> madeByAProgram
                ? made(settings, false, "create index concurrently orders_id on orders (id)")
                : inBackground(settings));
    }

    /** A change in Java. */
    public static final class Building extends JavaChange {

        @Override
        void execute(Connection connection) throws SQLException {
            LiquibaseScene.execute(connection, "create index concurrently orders_id on orders (id)");
        }
    }

    /** Which statements it has nobody is told, so its changeset has to say that it may wait. */
    @Test
    void inJavaOutlastsALongTransactionOnAnotherTable() throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob" runInTransaction="false" pglock:lockTimeout="none">
                  <customChange class="io.pglock.liquibase.ConcurrentlyTest$Building"/>
                </changeSet>
                """);

        assertOutlastsALongTransactionOnAnotherTable(this::inBackground);
    }

    private void assertOutlastsALongTransactionOnAnotherTable(
            Function<Map<String, String>, FutureTask<Boolean>> beginning) {
        Session report = scenario.session("report");
        report.execute("begin isolation level repeatable read", "select * from items");

        FutureTask<Boolean> updating = beginning.apply(settings("lockTimeout", "1ms"));
        awaitInvalid();
        scenario.await(
                "the build waits for the report",
                () -> value("select count(*) from pg_stat_activity where wait_event = 'virtualxid'")
                        .equals("1"));
        report.commit();

        await(updating);
        assertThat(isValid()).isEqualTo("t");
        assertThat(history()).isEqualTo("1 EXECUTED");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void dropsWhatAFailedBuildLeftAndBuildsAgain(boolean madeByAProgram) throws Exception {
        Session writer = scenario.session("writer");
        writer.begin();
        writer.execute("insert into orders values (1)");

        Map<String, String> settings = settings("concurrentLockTimeout", "300ms");
        FutureTask<Boolean> updating = madeByAProgram
                ? made(settings, false, "create index concurrently orders_id on orders (id)")
                : inBackground(settings);
        awaitLog("rying again");
        writer.commit();

        await(updating);
        assertThat(isValid()).isEqualTo("t");
        assertThat(history()).isEqualTo("1 EXECUTED");
        assertThat(said())
                .anySatisfy(
                        line -> assertThat(line).contains("the failed attempt left public.orders_id invalid; dropped"));
    }

    @Test
    void namesWhatIsLeftBehindAndNeverHidesTheLockTimeout() {
        Session writer = scenario.session("writer");
        writer.begin();
        writer.execute("insert into orders values (1)");

        assertThatThrownBy(() -> update(settings("concurrentLockTimeout", "300ms", "retryDeadline", "0s")))
                .hasStackTraceContaining("canceling statement due to lock timeout");

        assertThat(said())
                .anySatisfy(
                        line -> assertThat(line)
                                .startsWith("SEVERE ")
                                .contains("blocked by pid " + writer.pid())
                                .contains(
                                        "Left behind, invalid: public.orders_id. Before the next try: DROP INDEX CONCURRENTLY"));
        writer.commit();

        changelog.xml("""
                <changeSet id="1" author="bob" runInTransaction="false">
                  <sql>create index concurrently if not exists orders_id on orders (id)</sql>
                </changeSet>
                """);
        assertThatThrownBy(() -> update(settings()))
                .hasStackTraceContaining("DROP INDEX CONCURRENTLY public.orders_id");
        assertThat(value("select count(*) from databasechangelog")).isEqualTo("0");
    }
}
