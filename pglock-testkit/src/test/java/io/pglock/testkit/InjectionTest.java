// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.Set;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

@PostgresTest
class InjectionTest {
    private static final Set<Scenario> SCENARIOS = new HashSet<>();
    private static final Set<String> DATABASES = new HashSet<>();

    private final Connection fromConstructor;
    private final Scenario scenario;

    InjectionTest(Connection fromConstructor, Scenario scenario) {
        this.fromConstructor = fromConstructor;
        this.scenario = scenario;
    }

    @BeforeAll
    static void injectsWhatTheClassShares(Database database, DataSource dataSource, PostgresServer server)
            throws SQLException {
        assertThat(server).isSameAs(PostgresServer.shared());
        try (Connection connection = dataSource.getConnection()) {
            assertThat(connection.getCatalog()).isEqualTo(database.name());
        }
        DATABASES.add(database.name());
    }

    @AfterAll
    static void hadOneDatabaseAndOneScenarioPerTest() {
        assertThat(DATABASES).hasSize(1);
        assertThat(SCENARIOS).hasSize(4);
    }

    @BeforeEach
    void injectsIntoLifecycleMethods(Connection connection, Scenario same, Database database) throws SQLException {
        assertThat(connection).isNotSameAs(fromConstructor);
        assertThat(connection.getAutoCommit()).isTrue();
        assertThat(same).isSameAs(scenario);
        assertThat(same.database()).isSameAs(database);
        SCENARIOS.add(same);
        DATABASES.add(database.name());
    }

    @RepeatedTest(2)
    void everyParameterGetsItsOwnConnectionToTheSameDatabase(Connection one, Connection other) throws SQLException {
        assertThat(one).isNotSameAs(other);
        assertThat(one.getCatalog()).isEqualTo(other.getCatalog()).isEqualTo(fromConstructor.getCatalog());
    }

    @Test
    void theDataSourceOpensANewSessionEachTime(DataSource dataSource) throws SQLException {
        try (Connection one = dataSource.getConnection();
                Connection other = dataSource.getConnection()) {
            String pid = "select pg_backend_pid()";
            assertThat(Rows.read(one, pid)).isNotEqualTo(Rows.read(other, pid));
        }
    }

    @Nested
    class InANestedClass {
        @Test
        void theDatabaseIsTheOneOfTheOuterClass(Database database) {
            assertThat(DATABASES).containsExactly(database.name());
        }
    }
}
