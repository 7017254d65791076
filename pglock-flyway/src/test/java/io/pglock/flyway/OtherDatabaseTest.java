// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.TcpProxy;
import java.io.File;
import java.lang.reflect.Method;
import java.net.MalformedURLException;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.flywaydb.core.Flyway;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@PostgresTest
class OtherDatabaseTest {

    private static final String DRIVER = "org.postgresql.Driver";

    private static final String TAKE_NOTE =
            "create table noted as select current_setting('lock_timeout') as lock_timeout,"
                    + " current_setting('statement_timeout') as statement_timeout;";

    @Test
    void isSilentOnH2(@TempDir Path folder) {
        JdbcDataSource h2 = new JdbcDataSource();
        h2.setURL("jdbc:h2:mem:silent;DB_CLOSE_DELAY=-1");
        Flyway flyway = new Migrations(folder)
                .with("V1__a.sql", "create table a (id int);")
                .flyway(h2)
                .load();

        assertThat(flyway.migrate().migrationsExecuted).isEqualTo(1);

        assertThat(RecordedLog.all()).isNotEmpty().noneMatch(line -> line.contains("pglock"));
    }

    /** As in a service on H2 that has pglock from a parent POM, and no driver of PostgreSQL. */
    @Test
    void isSilentWhereThereIsNoDriverOfPostgres(@TempDir Path folder) throws Exception {
        try (URLClassLoader alone = withoutDriver()) {
            assertThatThrownBy(() -> alone.loadClass(DRIVER)).isInstanceOf(ClassNotFoundException.class);
            Method migrate = alone.loadClass(OnH2.class.getName()).getMethod("migrate", Path.class);

            assertThat((List<?>) migrate.invoke(null, folder))
                    .isNotEmpty()
                    .anyMatch(line -> line.toString().contains("Successfully applied 1 migration"))
                    .noneMatch(line -> line.toString().contains("pglock"));
        }
    }

    /** The class path of the tests without that jar. */
    private static URLClassLoader withoutDriver()
            throws URISyntaxException, MalformedURLException, ClassNotFoundException {
        Path driver = Path.of(Class.forName(DRIVER)
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        List<URL> jars = new ArrayList<>();
        for (String part : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            if (!Path.of(part).equals(driver)) {
                jars.add(Path.of(part).toUri().toURL());
            }
        }
        return new URLClassLoader(jars.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
    }

    /** Migrates one; what Flyway has logged. */
    public static final class OnH2 {

        private OnH2() {}

        /** In the class loader that it has been loaded by. */
        public static List<String> migrate(Path folder) {
            JdbcDataSource h2 = new JdbcDataSource();
            h2.setURL("jdbc:h2:mem:alone;DB_CLOSE_DELAY=-1");
            Migrations migrations = new Migrations(folder).with("V1__a.sql", "create table a (id int);");
            PgLockFlyway.migrate(migrations.flyway(h2).load());
            return RecordedLog.all();
        }
    }

    /**
     * No such server can be had here: this is PostgreSQL, and says what they say when a session begins. What Redshift says
     * (8.0.2), Flyway itself takes for a PostgreSQL that is too old.
     */
    @ParameterizedTest(name = "{0}={1}")
    @CsvSource({"crdb_version, CockroachDB CCL v24.1.0", "server_version, 15.2-YB-2.25.0.0-b0", "server_version, 9.6.24"
    })
    void isSilentOnWhatOnlySpeaksTheProtocolOfPostgres(
            String parameter, String value, Database database, Scenario scenario, @TempDir Path folder) {
        scenario.session("test").execute("drop table if exists flyway_schema_history, noted");
        Migrations migrations = new Migrations(folder).with("V1__note.sql", TAKE_NOTE);
        try (TcpProxy other =
                TcpProxy.to(database.server().host(), database.server().port()).reportParameter(parameter, value)) {
            Flyway flyway = Migrations.configure(
                            migrations.flyway(other.dataSource(database)),
                            Map.of("flyway.pglock.monitorUrl", "jdbc:postgresql://127.0.0.1:1/none"))
                    .load();

            assertThat(flyway.migrate().migrationsExecuted).isEqualTo(1);
        }

        assertThat(scenario.session("test").execute("select * from noted")).containsExactly("0|0");
        assertThat(RecordedLog.all()) // the database of the tests has that name too
                .isNotEmpty()
                .noneMatch(line -> line.replaceFirst("jdbc:\\S*", "").contains("pglock"));
    }
}
