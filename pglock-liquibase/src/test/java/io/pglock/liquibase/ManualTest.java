// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockPolicy;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import javax.sql.DataSource;
import liquibase.Liquibase;
import liquibase.Scope;
import liquibase.database.Database;
import liquibase.database.DatabaseFactory;
import liquibase.database.jvm.JdbcConnection;
import liquibase.resource.DirectoryResourceAccessor;
import liquibase.resource.ResourceAccessor;
import org.junit.jupiter.api.Test;

/** What docs/liquibase.md shows. */
class ManualTest extends LiquibaseScene {

    ManualTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    private static String shown(String name) throws IOException {
        try (InputStream text = ManualTest.class.getResourceAsStream("/docs/" + name)) {
            return new String(text.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void aChangesetOfEachKindWithSettingsOfItsOwn() throws Exception {
        for (String name : new String[] {"changeset.xml", "changeset.yaml", "changeset.sql"}) {
            file = name;
            changelog.with(name, shown(name));
            update(Map.of("monitorRequired", "true"));
        }
        assertThat(history()).isEqualTo("1 EXECUTED, 2 EXECUTED, 3 EXECUTED, 4 EXECUTED");
        assertThat(said()).isEmpty();
    }

    @Test
    void theSettingsInLiquibaseProperties() throws IOException {
        for (String name : new String[] {"liquibase.properties", "monitor.properties"}) {
            Properties properties = new Properties();
            try (InputStream text = ManualTest.class.getResourceAsStream("/docs/" + name)) {
                properties.load(text);
            }
            Map<String, String> settings = new HashMap<>();
            properties.forEach((key, value) ->
                    settings.put(key.toString().replaceFirst("^liquibase\\.pglock\\.", ""), value.toString()));
            assertThat(LockPolicy.parse(settings)).isNotEqualTo(LockPolicy.defaults());
        }
    }

    @Test
    void theDataSourceOfAProgram() throws Exception {
        changelog.xml("<changeSet id=\"1\" author=\"bob\"><sql>alter table orders add note text</sql></changeSet>");
        ResourceAccessor resources = new DirectoryResourceAccessor(changelog.folder());
        Session web = reader("web");
        Scope.child(Map.of(Scope.Attr.logService.name(), log, "liquibase.pglock.prioritize", "terminate"), () -> {
            // docs: liquibase-attach
            try (Connection connection = dataSource.getConnection()) {
                Database database =
                        DatabaseFactory.getInstance().findCorrectDatabaseImplementation(new JdbcConnection(connection));
                PgLockLiquibase.attach(database, dataSource);
                new Liquibase("changelog.xml", resources, database).update("");
            }
            // end
        });

        scenario.awaitGone(web.pid());
        assertThat(history()).isEqualTo("1 EXECUTED");
    }
}
