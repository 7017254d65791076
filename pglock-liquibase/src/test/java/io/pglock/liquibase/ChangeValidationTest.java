// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.pglock.testkit.Database;
import io.pglock.testkit.Scenario;
import java.sql.Connection;
import java.sql.DriverManager;
import liquibase.Contexts;
import liquibase.LabelExpression;
import liquibase.Liquibase;
import liquibase.database.DatabaseFactory;
import liquibase.database.core.CockroachDatabase;
import liquibase.database.jvm.JdbcConnection;
import liquibase.resource.DirectoryResourceAccessor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is not right fails before any change has run, and says what would be right. */
@Proves(Capability.CHANGES)
class ChangeValidationTest extends ChangeScene {

    ChangeValidationTest(Database database, Scenario scenario) {
        super(database, scenario);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "lockTable: {tableName: orders, mode: SHAER} | pglock: mode=SHAER: is none of ACCESS SHARE, ROW SHARE,"
                        + " ROW EXCLUSIVE, SHARE UPDATE EXCLUSIVE, SHARE, SHARE ROW EXCLUSIVE, EXCLUSIVE, ACCESS EXCLUSIVE",
                "lockTable: {tableName: orders, lockTimeout: 5} | pglock: lockTimeout=5: a bare number has no unit; write 5s or"
                        + " 5ms. To wait not at all, write nowait",
                "lockTable: {tableName: orders, lockTimeout: 5sec} | pglock: lockTimeout=5sec: is not a duration; write 500ms,",
                "lockTable: {tableName: orders, lockTimeout: 0s} | pglock: lockTimeout=0s: PostgreSQL counts in milliseconds",
                "lockTable: {mode: SHARE} | pglock: lockTable has no tableName; write tableName=\"orders\"",
                "lockTable: orders | pglock: lockTable has no tableName; write tableName=\"orders\"",
                "lockTable: {tableName: orders, tables: [{table: {tableName: items}}]} | pglock: lockTable has a tableName and"
                        + " table elements; write one or the other",
                "lockTable: {schemaName: billing, tables: [{table: {tableName: items}}]} | pglock: lockTable has a schemaName or"
                        + " catalogName beside its table elements; write it at each of them",
                "lockTable: {tabelName: orders} | pglock: there is no tabelName in lockTable. Available are: catalogName,"
                        + " lockTimeout, mode, only, schemaName, table, tableName, tables",
                "lockTable: {tables: [{table: {tableName: orders, schemeName: billing}}]} | pglock: there is no schemeName in"
                        + " table. Available are: catalogName, schemaName, tableName",
                "lockTable: {tables: [{tableName: orders}, {tableName: items}]} | pglock: a table of lockTable has 2 of tableName;"
                        + " write table: {tableName: ...} for each",
                "lockTable: {tables: [orders, items]} | pglock: a table of lockTable is \"[orders, items]\"; write table:",
                "lockTable: {tableName: orders, only: maybe} | pglock: only=maybe: is neither true nor false",
                "advisoryLock: {shared: true} | pglock: advisoryLock needs a key or an id; write key=\"nightly-report\"",
                "advisoryLock: {key: a, id: 42} | pglock: advisoryLock needs a key or an id, not both; write",
                "advisoryLock: {key: 42} | pglock: key=42: a key is a name, which stands for another number; for the lock with"
                        + " this number, write id=\"42\"",
                "advisoryLock: {id: nightly-report} | pglock: id=nightly-report: is not a number; write 42, or 7, 42; a name is",
                "advisoryLock: {id: 99999999999999999999} | pglock: id=99999999999999999999: is too large; write one number of",
                "advisoryLock: {id: '7, 99999999999'} | pglock: id=7, 99999999999: is too large; write one number of 64 bits",
                "advisoryLock: {id: 42, share: true} | pglock: there is no share in advisoryLock. Available are: id, key,"
                        + " lockTimeout, shared",
                "advisoryLock: {id: 42, shared: tru} | pglock: shared=tru: is neither true nor false"
            })
    void refusesWhatIsNotRight(String change, String message) throws Exception {
        String changelog = oneYaml(change);

        Throwable failure = catchThrowable(() -> update(changelog));

        assertThat(messages(failure)).contains(message).contains("changelog.yaml");
        assertThat(scenario.session("watcher").value("select count(*) from databasechangelog"))
                .isEqualTo("0");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"<pglock:lockTable tableName='orders'/>", "<pglock:advisoryLock id='42' lockTimeout='5s'/>"})
    void refusesToRunOutsideATransaction(String change) throws Exception {
        String changelog = xml("<changeSet id='1' author='test' runInTransaction='false'>" + change + "</changeSet>");

        assertThatThrownBy(() -> update(changelog))
                .hasMessageContaining(
                        "in a changeset with runInTransaction=\"false\" runs outside a transaction, where the lock"
                                + " would end with the statement");
    }

    /** A mistake in a rollback shows when that is asked for: Liquibase looks at it no sooner. */
    @Test
    void refusesAMistakeInARollbackBeforeItUndoesAnything() throws Exception {
        String changelog = xml("""
                <changeSet id="1" author="test">
                    <addColumn tableName="orders"><column name="note" type="text"/></addColumn>
                    <rollback>
                        <dropColumn tableName="orders" columnName="note"/>
                        <pglock:lockTable/>
                    </rollback>
                </changeSet>""");
        update(changelog);

        assertThat(messages(catchThrowable(() -> rollback(changelog, 1))))
                .contains("pglock: lockTable has no tableName");
        assertThat(
                        scenario.session("watcher")
                                .value(
                                        "select count(*) from pg_attribute where attrelid = 'orders'::regclass and attname = 'note'"))
                .isEqualTo("1");
    }

    @Test
    void saysOnAnotherDatabaseThatItIsNotForThat() throws Exception {
        String changelog = oneXml("<pglock:lockTable tableName='orders'/>");

        assertThat(messages(catchThrowable(() -> updateH2("other", changelog))))
                .contains(
                        "pglock: lockTable is for PostgreSQL, not for H2; write dbms=\"postgresql\" at its changeset");
        assertThat(new LockTableChange().supports(new CockroachDatabase())).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"xml", "yaml"})
    void leavesAnotherDatabaseAloneWhereTheChangesetIsForPostgres(String format) throws Exception {
        String changelog = format.equals("xml") ? xml("""
                        <changeSet id="1" author="test" dbms="postgresql"><pglock:lockTable tableName="orders"/></changeSet>
                        <changeSet id="2" author="test" dbms="h2"><createTable tableName="a"><column name="b" type="int"/>\
                        </createTable></changeSet>""") : write("changelog.yaml", """
                        databaseChangeLog:
                          - changeSet: {id: 1, author: test, dbms: postgresql, changes: [{advisoryLock: {id: 42}}]}
                          - changeSet: {id: 2, author: test, dbms: h2, changes: [
                              {createTable: {tableName: a, columns: [{column: {name: b, type: int}}]}}]}
                        """);

        assertThat(updateH2(format, changelog)).isEqualTo("1");
    }

    /** Runs it on an H2 of that name, and gives how many changesets have run. */
    private String updateH2(String name, String changelog) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:h2:mem:changes-" + name)) {
            new Liquibase(
                            changelog,
                            new DirectoryResourceAccessor(folder),
                            DatabaseFactory.getInstance()
                                    .findCorrectDatabaseImplementation(new JdbcConnection(connection)))
                    .update(new Contexts(), new LabelExpression());
            try (var statement = connection.createStatement();
                    var rows = statement.executeQuery("select count(*) from databasechangelog")) {
                rows.next();
                return rows.getString(1);
            }
        }
    }
}
