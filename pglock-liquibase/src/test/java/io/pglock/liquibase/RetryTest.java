// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.util.concurrent.FutureTask;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

class RetryTest extends LiquibaseScene {

    RetryTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    private static final String CHANGESET = """
            <changeSet id="1" author="bob">
              <addColumn tableName="items"><column name="note" type="text"/></addColumn>
              <sql>insert into items values (1, 'a')</sql>
              <addColumn tableName="orders"><column name="note" type="text"/></addColumn>
              <sql>insert into items values (2, 'b')</sql>
            </changeSet>
            """;

    @Test
    void aChangesetIsAppliedOnceWhenTheBlockerHasGone() throws Exception {
        changelog.xml(CHANGESET);
        Session web = reader("web");
        FutureTask<Boolean> updating = inBackground(settings());
        awaitLog("rying again");
        assertThat(value(
                        "select count(*) from pg_locks where relation = 'items'::regclass and pid <> pg_backend_pid()"))
                .isEqualTo("0");
        web.commit();
        await(updating);
        assertThat(history()).isEqualTo("1 EXECUTED");
        assertThat(value("select string_agg(note, ',' order by id) from items")).isEqualTo("a,b");
    }
}
