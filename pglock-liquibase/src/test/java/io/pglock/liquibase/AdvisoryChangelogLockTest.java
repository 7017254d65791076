// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Map;
import java.util.concurrent.FutureTask;
import javax.sql.DataSource;
import liquibase.command.CommandScope;
import liquibase.database.Database;
import liquibase.lockservice.LockServiceFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code changelogLock=advisory}: the lock is that of a session, and Liquibase's table is not needed. */
@Proves(Capability.CHANGELOG_LOCK)
class AdvisoryChangelogLockTest extends ChangelogLockScene {

    private static final Map<String, String> ADVISORY = lock("advisory");

    AdvisoryChangelogLockTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    private String lockTable() {
        return value("select count(*) from pg_class where relname = 'databasechangeloglock'");
    }

    @Test
    void needsNoLockTableOnAnEmptyDatabase() throws Exception {
        changelog("insert into inside values ('a');");

        update(ADVISORY);

        assertThat(applied()).isEqualTo("1");
        assertThat(lockTable()).isEqualTo("0");
        assertThat(value(ADVISORY_LOCKS)).isEqualTo("0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"table", "advisory", "both"})
    void holdsWhatTheSettingSaysWhileItIsInside(String mode) throws Exception {
        Session gate = scenario.session("gate");
        gate.begin();
        gate.execute("lock table gate");
        changelog(BEHIND_THE_GATE);

        FutureTask<Boolean> updating = updating("one", lock(mode));
        awaitInside("one");

        assertThat(value(ADVISORY_LOCKS + " and objsubid = 1 and granted")).isEqualTo(mode.equals("table") ? "0" : "1");
        assertThat(lockTable()).isEqualTo(mode.equals("advisory") ? "0" : "1");
        if (!mode.equals("advisory")) {
            assertThat(value("select locked from databasechangeloglock")).isEqualTo("t");
        }
        gate.commit();
        await(updating);
        assertThat(value(ADVISORY_LOCKS)).isEqualTo("0");
    }

    @Test
    void letsOneInAfterTheOtherAndAppliesNothingTwice() throws Exception {
        changelog("select 1;");
        update(ADVISORY);
        Session gate = scenario.session("gate");
        gate.begin();
        gate.execute("lock table gate");
        changelog(
                "select 1;",
                BEHIND_THE_GATE + " insert into inside values ('once');",
                "insert into inside values ('too');");
        FutureTask<Boolean> one = updating("one", ADVISORY);
        awaitInside("one");
        FutureTask<Boolean> two = updating("two", ADVISORY);
        awaitWaiting("two");
        assertThat(two).isNotDone();

        gate.commit();
        await(one);
        await(two);

        assertThat(applied()).isEqualTo("1 2 3");
        assertThat(value("select string_agg(who, ' ' order by who) from inside"))
                .isEqualTo("once too");
    }

    /** A blocking {@code pg_advisory_lock} would hold one, and {@code CREATE INDEX CONCURRENTLY} waits for that. */
    @Test
    void keepsNeitherTransactionNorSnapshotWhileItWaits() throws Exception {
        changelog("select 1;");
        update(ADVISORY);
        Session gate = scenario.session("gate");
        gate.begin();
        gate.execute("lock table gate");
        write(
                "changelog.sql",
                "--liquibase formatted sql\n--changeset test:1\nselect 1;\n--changeset test:2\n" + BEHIND_THE_GATE
                        + "\n--changeset test:3 runInTransaction:false\ncreate index concurrently on inside (who);");
        FutureTask<Boolean> one = updating("one", ADVISORY);
        awaitInside("one");
        FutureTask<Boolean> two = updating("two", ADVISORY);
        awaitWaiting("two");
        scenario.await(
                "two to be between its tries, in no transaction",
                () -> value("select backend_xmin is null and xact_start is null from pg_stat_activity"
                                + " where application_name = 'two'")
                        .equals("t"));

        gate.commit();

        await(one);
        await(two);
        assertThat(value("select bool_and(indisvalid) from pg_index where indrelid = 'inside'::regclass"))
                .isEqualTo("t");
    }

    /** Whatever a version of Liquibase, or its settings, call the schema. */
    @Test
    void isTheSameLockHoweverTheSchemaIsNamed() throws Exception {
        String usual = keyWhileHeld("public", "", "");

        assertThat(keyWhileHeld("public", "public", "")).isEqualTo(usual);
        assertThat(keyWhileHeld("public", "PUBLIC", "")).isEqualTo(usual);
        assertThat(keyWhileHeld("public", "", "public")).isEqualTo(usual);
    }

    @Test
    void isAnotherLockForTheChangelogOfAnotherSchema() throws Exception {
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "create schema other");
        }
        String other = keyWhileHeld("public", "other", "");

        assertThat(keyWhileHeld("public", "", "other")).isEqualTo(other);
        assertThat(keyWhileHeld("other, public", "", "")).isEqualTo(other);
        assertThat(other).isNotEqualTo(keyWhileHeld("public", "", ""));
    }

    /** To a Liquibase that is told nothing, the first schema of the path is the one. */
    private String keyWhileHeld(String searchPath, String liquibaseSchema, String defaultSchema) throws Exception {
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "set search_path = " + searchPath);
            return with(connection, ADVISORY, database -> keyWhileHeld(database, liquibaseSchema, defaultSchema));
        }
    }

    private String keyWhileHeld(Database database, String liquibaseSchema, String defaultSchema) throws Exception {
        if (!liquibaseSchema.isEmpty()) {
            database.setLiquibaseSchemaName(liquibaseSchema);
        }
        if (!defaultSchema.isEmpty()) {
            database.setDefaultSchemaName(defaultSchema);
        }
        lockOf(database).waitForLock();
        try {
            return value("select string_agg(classid || ' ' || objid, ', ') from pg_locks where locktype = 'advisory'"
                    + " and database = (select oid from pg_database where datname = current_database())");
        } finally {
            lockOf(database).releaseLock();
        }
    }

    @Test
    void survivesThatAnotherCommandOfThisJvmMakesLiquibaseForgetIt() throws Exception {
        changelog("select 1;");
        with(dataSource, ADVISORY, database -> {
            lockOf(database).waitForLock();
            with(dataSource, ADVISORY, other -> output("listLocks", other));
            LockServiceFactory.getInstance().resetAll();
            assertThat(lockOf(database).hasChangeLogLock()).isTrue();
            lockOf(database).waitForLock();
            assertThat(value(ADVISORY_LOCKS)).isEqualTo("1");
            lockOf(database).releaseLock();
            assertThat(value(ADVISORY_LOCKS)).isEqualTo("0");
            return true;
        });
    }

    @Test
    void isKeptWhenLiquibaseResetsItsService() throws Exception {
        with(dataSource, ADVISORY, database -> {
            lockOf(database).waitForLock();
            lockOf(database).reset();
            assertThat(lockOf(database).acquireLock()).isTrue();
            lockOf(database).releaseLock();
            assertThat(value(ADVISORY_LOCKS)).isEqualTo("0");
            return true;
        });
    }

    @Test
    void writesNothingOfALockIntoUpdateSql() throws Exception {
        changelog("insert into inside values ('a');");
        update(ADVISORY);
        changelog("insert into inside values ('a');", "insert into inside values ('b');");

        assertThat(updateSql(ADVISORY))
                .contains("insert into inside values ('b');")
                .doesNotContainIgnoringCase("changeloglock")
                .doesNotContain("advisory");
        assertThat(value("select count(*) from inside")).isEqualTo("1");
    }

    @Test
    void bothWritesIntoUpdateSqlWhatLiquibaseDoes() throws Exception {
        changelog("insert into inside values ('a');");
        update(lock("both"));
        changelog("insert into inside values ('a');", "insert into inside values ('b');");

        assertThat(updateSql(lock("both")).replaceAll("(?m)^-- .*|'\\d+'", ""))
                .isEqualTo(updateSql(lock("table")).replaceAll("(?m)^-- .*|'\\d+'", ""))
                .containsIgnoringCase("databasechangeloglock");
        assertThat(value("select locked from databasechangeloglock")).isEqualTo("f");
        assertThat(value(ADVISORY_LOCKS)).isEqualTo("0");
    }

    private String updateSql(Map<String, String> settings) throws Exception {
        return with(dataSource, settings, database -> {
            ByteArrayOutputStream script = new ByteArrayOutputStream();
            new CommandScope("updateSql")
                    .addArgumentValue("database", database)
                    .addArgumentValue("changelogFile", "changelog.sql")
                    .setOutput(script)
                    .execute();
            return script.toString(StandardCharsets.UTF_8);
        });
    }

    /** With the lock table, which {@code both} has locked. */
    @ParameterizedTest
    @ValueSource(strings = {"advisory", "both"})
    void dropAllWorks(String mode) throws Exception {
        changelog("create table thing (id int);");
        update(lock(mode));

        try (Connection connection = dataSource.getConnection()) {
            with(connection, lock(mode), database -> output("dropAll", database));

            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery(
                            "select coalesce(current_setting('client_connection_check_interval', true), '0')")) {
                row.next();
                assertThat(row.getString(1)).isEqualTo("0");
            }
        }
        assertThat(value("select count(*) from pg_class where relname = 'thing'"))
                .isEqualTo("0");
        assertThat(value(ADVISORY_LOCKS)).isEqualTo("0");
    }

    @Test
    void rollbackIsUnderTheLockToo() throws Exception {
        changelog("insert into inside values ('a');\n--rollback lock table gate in access share mode;");
        update(ADVISORY);
        Session gate = scenario.session("gate");
        gate.begin();
        gate.execute("lock table gate");

        FutureTask<Boolean> one = inBackground(
                "one",
                () -> with(database().dataSource("one"), ADVISORY, database -> {
                    new CommandScope("rollbackCount")
                            .addArgumentValue("database", database)
                            .addArgumentValue("changelogFile", "changelog.sql")
                            .addArgumentValue("count", 1)
                            .execute();
                    return true;
                }));
        awaitInside("one");
        assertThat(value(ADVISORY_LOCKS + " and objsubid = 1")).isEqualTo("1");
        gate.commit();
        await(one);
        assertThat(applied()).isEmpty();
    }

    @Test
    void aSettingThatIsWrongFailsBeforeAnythingIsLocked() {
        changelog("select 1;");

        assertThatThrownBy(() -> with(
                        dataSource, lock("foo"), database -> lockOf(database).acquireLock()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("pglock: changelogLock=foo: write table, advisory or both");
        assertThatThrownBy(() -> update(lock("foo")))
                .hasStackTraceContaining("pglock: changelogLock=foo: write table, advisory or both");
    }

    @Test
    void isLiquibasesOwnWherePglockIsDisabled() throws Exception {
        changelog("select 1;");

        update(lock("advisory", "pglock.enabled", "false"));

        assertThat(lockTable()).isEqualTo("1");
    }
}
