// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.TcpProxy;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Another database behind the same driver gets no statement of the agent's, and no method runs there without its lock. No such server can
 * be had here: this is PostgreSQL, and says what they say when a session begins.
 */
@PostgresTest
class OtherDatabaseTest {

    private final Database database;

    OtherDatabaseTest(Database database) {
        this.database = database;
    }

    @ParameterizedTest(name = "{0}={1} {2}")
    @CsvSource({
        "server_version, 8.0.2, newest",
        "server_version, 9.6.24, 42.2.29",
        "server_version, 15.2-YB-2.25.0.0-b0, 42.5.6",
        "crdb_version, CockroachDB CCL v24.1.0, newest"
    })
    void isLeftAloneWhereAMethodNeedsNoLockThere(String parameter, String value, String driver) {
        try (TcpProxy proxy =
                TcpProxy.to(database.server().host(), database.server().port()).reportParameter(parameter, value)) {
            String other = "jdbc:postgresql://127.0.0.1:" + proxy.port() + "/" + database.name();
            ForkedJvm.Launch launch = AgentJvm.with(
                            "target=com.acme.weaving.Inside#guarded;advisory=11;monitorUrl=" + database.url()
                                    + ";monitorUser=" + database.user() + ";monitorPassword=" + database.password(),
                            OtherDatabase.class)
                    .database(database)
                    .arguments(other + "?sslmode=disable");
            if (!driver.equals("newest")) {
                launch = launch.classPath(AgentJvm.withDriver(driver));
            }
            try (ForkedJvm application = launch.start()) {
                application.awaitLine("armed:", AgentJvm.LONGEST);

                assertThat(application.exitCode()).isZero();
                List<String> output = application.output();
                assertThat(output.stream()
                                .filter(line -> !line.contains("[pglock]"))
                                .map(OtherDatabaseTest::shortened))
                        .as(() -> String.join("\n", output))
                        .containsExactly(
                                "advisory: "
                                        + notLocked("advisory", ", or set monitorUrl: then the lock is taken there."),
                                "advisory, after: 0",
                                "left alone: 0 0 1111ms",
                                "left alone, after: 4444ms 0",
                                "table: " + notLocked("table", "."),
                                "table, after: 0",
                                "key: " + notLocked("key", "."),
                                "key, after: 0",
                                "advisory, presumed elsewhere: "
                                        + notLocked("advisory", ", or set monitorUrl: then the lock is taken there."),
                                "advisory, presumed elsewhere, after: 0",
                                "advisory, settled: 1 0",
                                "monitored: 0 1 0 0",
                                "tried again: no failure 2",
                                "not tried again: 55P03 1",
                                "armed: 0");
                assertThat(output)
                        .filteredOn(
                                line -> line.contains(" is not PostgreSQL 10 or newer: what guarded methods do there"))
                        .singleElement()
                        .asString()
                        .contains("OtherDatabase.within: " + other);
            }
        }
    }

    private static String notLocked(String method, String remedy) {
        return "OtherDatabase." + method
                + ": not locked, for ... is not PostgreSQL 10 or newer. Let another method do what is done there"
                + remedy;
    }

    private static String shortened(String line) {
        return line.replace(OtherDatabase.class.getName(), "OtherDatabase").replaceFirst("jdbc:\\S*", "...");
    }
}
