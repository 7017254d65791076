// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pglock.testkit.Scenario;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import liquibase.change.custom.CustomTaskRollback;
import liquibase.database.Database;
import liquibase.exception.CustomChangeException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Proves(Capability.TIMEOUTS)
class TimeoutsTest extends LiquibaseScene {

    TimeoutsTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    /** Whatever puts a row in there leaves the timeouts that it ran with. */
    @BeforeEach
    void watchTimeouts(@TempDir Path folder) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "drop table if exists seen");
            execute(connection, """
                    create table seen (
                      number int generated always as identity,
                      what text,
                      timeout text default current_setting('lock_timeout') || '/' || current_setting('statement_timeout'))
                    """);
        }
    }

    /** {@code sql 1s/0, ...} */
    private String seen() {
        return value("select string_agg(what || ' ' || timeout, ', ' order by number) from seen");
    }

    /** A change in Java, which writes down what it runs with. */
    public static final class Recording extends JavaChange implements CustomTaskRollback {

        @Override
        void execute(Connection connection) throws SQLException {
            record(connection, "java");
        }

        @Override
        public void rollback(Database database) throws CustomChangeException {
            run(database, connection -> record(connection, "java-back"));
        }

        private static void record(Connection connection, String what) throws SQLException {
            LiquibaseScene.execute(connection, "insert into seen (what) values ('" + what + "')");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Proves({Capability.TIMEOUTS, Capability.ROLLBACK})
    void areThereForChangesInSqlAndInJavaForLoadedDataAndRollback(boolean transactional) throws Exception {
        changelog.with("data.csv", "what\nloaded\n").xml("""
                <changeSet id="1" author="bob" runInTransaction="%s">
                  <customChange class="io.pglock.liquibase.TimeoutsTest$Recording"/>
                  <loadData tableName="seen" file="data.csv"><column name="what" type="string"/></loadData>
                  <sql>insert into seen (what) values ('sql')</sql>
                  <insert tableName="seen"><column name="what" value="insert"/></insert>
                  <rollback>
                    <customChange class="io.pglock.liquibase.TimeoutsTest$Recording"/>
                    <sql>insert into seen (what) values ('sql-back')</sql>
                  </rollback>
                </changeSet>
                """.formatted(transactional));

        liquibase(settings("statementTimeout", "1m"), liquibase -> {
            liquibase.update("");
            liquibase.rollback(1, "");
        });

        assertThat(seen())
                .isEqualTo("java 1s/1min, loaded 1s/1min, sql 1s/1min, insert 1s/1min, java 1s/1min, sql-back 1s/1min");
    }

    @Test
    @Proves({Capability.TIMEOUTS, Capability.PRECONDITIONS})
    void areThereForPreconditionsAndStillForTheChangesAfterThem() throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob">
                  <preConditions onFail="HALT">
                    <sqlCheck expectedResult="1s">select current_setting('lock_timeout')</sqlCheck>
                  </preConditions>
                  <sql>insert into seen (what) values ('sql')</sql>
                </changeSet>
                """);

        update(settings());

        assertThat(seen()).isEqualTo("sql 1s/0");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void areThereAgainAfterAChangesetHasEndedItsTransactionItself(boolean transactional) throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob" runInTransaction="%s">
                  <sql>insert into seen (what) values ('before'); commit; insert into seen (what) values ('after')</sql>
                </changeSet>
                """.formatted(transactional));

        update(settings());

        assertThat(seen()).isEqualTo("before 1s/0, after 1s/0");
    }

    @Test
    void areNotThereForWhatLiquibaseDoesItself() throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob">
                  <sql>alter table databasechangelog add column seen text default current_setting('lock_timeout')</sql>
                </changeSet>
                <changeSet id="2" author="bob"><sql>select 1</sql></changeSet>
                <changeSet id="3" author="bob" runInTransaction="false"><sql>select 1</sql></changeSet>
                """);

        update(settings());

        assertThat(value(
                        "select string_agg(id || ' ' || seen, ', ' order by id) from databasechangelog where id > '1'"))
                .isEqualTo("2 0, 3 0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"set lock_timeout = '333ms'", "set local lock_timeout = '333ms'"})
    void ofTheChangesetItselfWinInATransaction(String own) throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob">
                  <sql>%s</sql>
                  <insert tableName="seen"><column name="what" value="1"/></insert>
                  <sql>insert into seen (what) values ('2')</sql>
                </changeSet>
                """.formatted(own));

        update(settings());

        assertThat(seen()).isEqualTo("1 333ms/0, 2 333ms/0");
    }

    @Test
    void ofTheChangesetItselfWinOutsideATransaction() throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob" runInTransaction="false">
                  <sql>set lock_timeout = '333ms'</sql>
                  <insert tableName="seen"><column name="what" value="1"/></insert>
                  <sql>insert into seen (what) values ('2')</sql>
                </changeSet>
                """);

        update(settings());

        assertThat(seen()).isEqualTo("1 333ms/0, 2 333ms/0");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "set transaction isolation level serializable",
                "start transaction isolation level serializable",
                "select 1; commit; set transaction isolation level serializable",
                "select 1; commit; begin isolation level serializable"
            })
    void leaveAChangesetThatSaysWhatKindOfTransactionItWants(String beginning) throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob">
                  <sql>%s;
                    insert into seen (what) values (current_setting('transaction_isolation'))</sql>
                </changeSet>
                """.formatted(beginning));

        update(settings());

        assertThat(seen()).isEqualTo("serializable 1s/0");
    }

    /** The change in Java has nothing to do with it: Liquibase rolls back through the SQL alone. The first is in the midst of what it reads. */
    @Test
    @Proves({Capability.TIMEOUTS, Capability.ROLLBACK})
    void leaveARollbackInSqlThatSaysWhatKindOfTransactionItWants() throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob">
                  <preConditions><sqlCheck expectedResult="1">select 1</sqlCheck></preConditions>
                  <customChange class="io.pglock.liquibase.TimeoutsTest$Recording"/>
                  <rollback><sql>set transaction isolation level serializable;
                    insert into seen (what) values (current_setting('transaction_isolation'))</sql></rollback>
                </changeSet>
                <changeSet id="2" author="bob"><sql>select 1</sql><rollback><sql>select 1</sql></rollback></changeSet>
                """);

        liquibase(settings(), liquibase -> {
            liquibase.update("");
            liquibase.rollback(2, "");
        });

        assertThat(seen()).isEqualTo("java 1s/0, serializable 1s/0");
    }

    /** For Liquibase it is one statement, whatever it begins with. */
    @ParameterizedTest
    @CsvSource({
        "set search_path to public, read committed",
        "set transaction isolation level serializable, serializable",
        "set session characteristics as transaction read write, read committed"
    })
    void areThereForAPieceThatIsNotSplit(String first, String isolation) throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob">
                  <sql splitStatements="false">%s;
                    insert into seen (what) values (current_setting('transaction_isolation'))</sql>
                  <sql>insert into seen (what) values ('next')</sql>
                </changeSet>
                """.formatted(first));

        update(settings("statementTimeout", "1m"));

        assertThat(seen()).isEqualTo(isolation + " 1s/1min, next 1s/1min");
    }

    @Test
    void areGoneFromEveryPooledConnectionHoweverItEnds() throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob"><sql>insert into seen (what) values ('1')</sql></changeSet>
                <changeSet id="2" author="bob" runInTransaction="false">
                  <sql>insert into seen (what) values ('2')</sql>
                  <customChange class="io.pglock.liquibase.TimeoutsTest$Recording"/>
                </changeSet>
                <changeSet id="3" author="bob" failOnError="false"><sql>select 1/0</sql></changeSet>
                <changeSet id="4" author="bob" failOnError="false" runInTransaction="false"><sql>select 1/0</sql></changeSet>
                <changeSet id="5" author="bob"><sql>set lock_timeout = 'rubbish'</sql></changeSet>
                """);
        HikariConfig config = new HikariConfig();
        config.setDataSource(dataSource);
        config.setMaximumPoolSize(3);
        config.setMinimumIdle(3);
        config.setConnectionInitSql("set lock_timeout = '77s'");
        try (HikariDataSource pool = new HikariDataSource(config)) {
            assertThatThrownBy(() -> liquibase(pool, settings("lockTimeout", "5s"), liquibase -> liquibase.update("")))
                    .hasStackTraceContaining("rubbish");

            assertThat(timeouts(pool, 3)).containsOnly("77s");
        }
        assertThat(seen()).isEqualTo("1 5s/0, 2 5s/0, java 5s/0");
    }

    private static List<String> timeouts(DataSource pool, int connections) throws SQLException {
        List<Connection> all = new ArrayList<>();
        List<String> timeouts = new ArrayList<>();
        try {
            for (int i = 0; i < connections; i++) {
                all.add(pool.getConnection());
            }
            for (Connection connection : all) {
                try (Statement statement = connection.createStatement();
                        ResultSet row = statement.executeQuery("show lock_timeout")) {
                    row.next();
                    timeouts.add(row.getString(1));
                }
            }
        } finally {
            for (Connection connection : all) {
                connection.close();
            }
        }
        return timeouts;
    }

    @Test
    @Proves(Capability.LEFT_ALONE)
    void ofNobodyWhenPglockIsNotEnabled() throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob"><sql>insert into seen (what) values ('1')</sql></changeSet>
                """);

        update(settings("enabled", "false"));

        assertThat(seen()).isEqualTo("1 0/0");
    }
}
