// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.nio.file.Files;
import java.util.concurrent.FutureTask;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The change types where pglock's guard is on, as it is wherever the jar is. */
@Proves(Capability.CHANGES)
class ChangeUnderGuardTest extends LiquibaseScene {

    private static final String NOTE =
            "{sql: {sql: insert into items select 1 where current_setting('lock_timeout') = '1s'}}";

    ChangeUnderGuardTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    private void changes(String... changes) throws Exception {
        file = "changelog.yaml";
        Files.writeString(
                changelog.folder().resolve(file),
                "databaseChangeLog: [{changeSet: {id: 1, author: test, changes: [" + String.join(", ", changes)
                        + "]}}]");
    }

    @Test
    void haveAnotherTimeoutAndPutTheGuardsBack() throws Exception {
        changes(
                NOTE,
                "{lockTable: {tableName: orders, lockTimeout: 5s}}",
                NOTE,
                "{advisoryLock: {key: nightly-report, lockTimeout: 7s}}",
                NOTE);

        update(settings());

        assertThat(value("select count(*) from items")).isEqualTo("3");
    }

    @ParameterizedTest
    @ValueSource(strings = {"200ms", "nowait"})
    void areTriedAgainWithTheirChangesetWhenTheLockIsNotAcquired(String lockTimeout) throws Exception {
        Session reader = reader("reader");
        changes(
                "{sql: {sql: insert into items values (1)}}",
                "{lockTable: {tableName: orders, lockTimeout: " + lockTimeout + "}}",
                "{addColumn: {tableName: orders, columns: [{column: {name: note, type: text}}]}}");

        // in so short a wait, or none, nobody may have seen who is in the way: the pause must end by itself
        FutureTask<Boolean> updating = inBackground(settings("retryDelay", "50ms", "retryMaxDelay", "100ms"));
        awaitLog("rying again");
        reader.commit();
        await(updating);

        assertThat(history()).isEqualTo("1 EXECUTED");
        assertThat(value("select count(*) from items")).isEqualTo("1");
    }
}
