// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Scenario;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a changeset says of its own settings, in every kind of changelog. */
@Proves(Capability.OVERRIDES)
class OverridesTest extends LiquibaseScene {

    private static final String XML = """
            <databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog"
                xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
                xmlns:pglock="http://pglock.io/xml/ns/pglock"
                xsi:schemaLocation="http://www.liquibase.org/xml/ns/dbchangelog http://www.liquibase.org/xml/ns/dbchangelog/dbchangelog-latest.xsd">
              <changeSet id="1" author="bob"%s>
                <insert tableName="seen"><column name="what" value="1"/></insert>
              </changeSet>
            </databaseChangeLog>
            """;

    private static final String YAML = """
            databaseChangeLog:
              - changeSet:
                  id: 1
                  author: bob%s
                  changes:
                    - insert:
                        tableName: seen
                        columns:
                          - column: { name: what, value: "1" }
            """;

    private static final String JSON = """
            {"databaseChangeLog": [{"changeSet": {"id": "1", "author": "bob"%s,
              "changes": [{"insert": {"tableName": "seen", "columns": [{"column": {"name": "what", "value": "1"}}]}}]}}]}
            """;

    private static final String SQL = """
            --liquibase formatted sql
            --changeset bob:1%s
            insert into seen (what) values ('1');
            """;

    private static final String AN_INDENT = "\n      ";

    OverridesTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    @BeforeEach
    void watchTimeouts() throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "drop table if exists seen");
            execute(connection, "create table seen (what text, timeout text default current_setting('lock_timeout'))");
        }
    }

    private String seen() {
        return value("select string_agg(timeout, ',') from seen");
    }

    private void changelog(String name, String text, String override) {
        file = name;
        changelog.with(name, text.formatted(override));
    }

    static Stream<Arguments> overrides() {
        return Stream.of(
                Arguments.of("changelog.xml", XML, " pglock:lockTimeout=\"7s\""),
                Arguments.of("changelog.xml", XML, "><comment>pglock lockTimeout=7s</comment"),
                Arguments.of("changelog.yaml", YAML, AN_INDENT + "lockTimeout: 7s"),
                Arguments.of("changelog.yaml", YAML, AN_INDENT + "\"pglock:lockTimeout\": 7s"),
                Arguments.of("changelog.yaml", YAML, AN_INDENT + "comment: pglock lockTimeout=7s"),
                Arguments.of("changelog.json", JSON, ", \"lockTimeout\": \"7s\""),
                Arguments.of("changelog.json", JSON, ", \"pglock:lockTimeout\": \"7s\""),
                Arguments.of("changelog.sql", SQL, " lockTimeout:7s"),
                Arguments.of("changelog.sql", SQL, " splitStatements:false pglock:lockTimeout:7s"),
                Arguments.of("changelog.sql", SQL, "\n--comment: pglock lockTimeout=7s"));
    }

    @ParameterizedTest
    @MethodSource("overrides")
    void countForTheChangeset(String name, String text, String override) throws Exception {
        changelog(name, text, override);
        update(Map.of());
        assertThat(seen()).isEqualTo("7s");
    }

    @ParameterizedTest
    @MethodSource("overrides")
    void canBeAddedLaterWithoutTouchingTheChecksum(String name, String text, String override) throws Exception {
        changelog(name, text, "");
        update(Map.of());
        String checksum = value("select md5sum from databasechangelog");

        changelog(name, text, override);
        update(Map.of()); // validates the checksum

        assertThat(seen()).isEqualTo("2s");
        changelog(name, text, "");
        liquibase(Map.of(), liquibase -> liquibase.clearCheckSums());
        changelog(name, text, override);
        update(Map.of());
        assertThat(value("select md5sum from databasechangelog")).isEqualTo(checksum);
    }

    /** One name for several databases: only one of them runs. */
    @Test
    void countForTheOneThatRunsOfSeveralOfOneName() throws Exception {
        changelog("changelog.sql", """
                --liquibase formatted sql
                --changeset bob:1 dbms:postgresql lockTimeout:7s
                insert into seen (what) values ('1');
                --changeset bob:1 dbms:h2 lockTimeout:9s
                insert into seen (what) values ('1');
                --changeset bob:2 dbms:h2
                insert into seen (what) values ('2');
                --changeset bob:2 dbms:postgresql lockTimeout:8s
                insert into seen (what) values ('2');
                """, "");
        update(Map.of());
        assertThat(seen()).isEqualTo("7s,8s");
    }

    @Test
    void countWhereTheNameIsAParameter() throws Exception {
        changelog("changelog.sql", """
                --liquibase formatted sql
                --property name:who value:bob
                --property name:n value:1
                --property name:patience value:8s
                --changeset bob:${n} lockTimeout:7s
                insert into seen (what) values ('1');
                --changeset ${who}:2 lockTimeout:${patience}
                insert into seen (what) values ('2');
                """, "");
        update(Map.of());
        assertThat(seen()).isEqualTo("7s,8s");
    }

    @Test
    void thatMayBeOfSeveralChangesetsAreRefused() {
        changelog("changelog.sql", """
                --liquibase formatted sql
                --changeset bob:1 context:test lockTimeout:7s
                insert into seen (what) values ('1');
                --changeset bob:1 context:!test
                insert into seen (what) values ('1');
                """, "");
        assertThatThrownBy(() -> update(Map.of()))
                .hasStackTraceContaining("bob:1: pglock: ")
                .hasStackTraceContaining("has several lines that begin with this name, and different settings in them");
    }

    static Stream<Arguments> mistakes() {
        String number = "pglock: lockTimeout=4000: ";
        String typo = "Did you mean lockTimeout?";
        String ofTheRun = "pglock: monitorUrl is a setting of the whole run and not of one changeset";
        return Stream.of(
                Arguments.of("changelog.xml", XML, " pglock:lockTimeout=\"4000\"", number),
                Arguments.of("changelog.xml", XML, " pglock:lokTimeout=\"4s\"", typo),
                Arguments.of("changelog.xml", XML, " pglock:monitorUrl=\"jdbc:postgresql:x\"", ofTheRun),
                Arguments.of("changelog.xml", XML, "><comment>pglock lockTimeout=4000</comment", number),
                Arguments.of("changelog.yaml", YAML, AN_INDENT + "lockTimeout: 4000", number),
                Arguments.of("changelog.yaml", YAML, AN_INDENT + "lokTimeout: 4s", typo),
                Arguments.of(
                        "changelog.yaml", YAML, AN_INDENT + "\"pglock:nothingLikeIt\": 4s", "no setting nothingLikeIt"),
                Arguments.of("changelog.json", JSON, ", \"lockTimeout\": 4000", number),
                Arguments.of("changelog.json", JSON, ", \"lock-timeout\": \"4s\"", typo),
                Arguments.of("changelog.sql", SQL, " lockTimeout:4000", number),
                Arguments.of("changelog.sql", SQL, " lokTimeout:4s", typo),
                Arguments.of("changelog.sql", SQL, " lockTimeout=5s", "write lockTimeout:5s"),
                Arguments.of("changelog.sql", SQL, " lokTimeout=5s", "write lockTimeout:5s"),
                Arguments.of("changelog.sql", SQL, "\n--comment: pglock lockTimeout:5s", "write key=value"),
                Arguments.of("changelog.sql", SQL, " pglock:monitorUrl:x", ofTheRun),
                Arguments.of("changelog.sql", SQL, "\n--comment: pglock lokTimeout=4s", typo),
                Arguments.of("changelog.sql", SQL, "\n--comment: pglock: lockTimeout 4s", "write key=value"));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void thatAreWrongFailBeforeAnyChangesetRuns(String name, String text, String override, String message) {
        changelog(name, text, override);
        assertThatThrownBy(() -> update(Map.of()))
                .hasStackTraceContaining(message)
                .hasStackTraceContaining("1");
        assertThat(seen()).isEmpty();
    }

    @Test
    void ofYamlThatLookLikeABooleanOrANumberAreWhatWasWritten() throws Exception {
        changelog(
                "changelog.yaml",
                YAML,
                AN_INDENT + "prioritize: off" + AN_INDENT + "retryAttempts: 3" + AN_INDENT + "enabled: false");
        update(Map.of());
        assertThat(seen()).isEqualTo("0");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "pglock is what guards this",
                "See pglock lockTimeout",
                "pglock note: not about it",
                "not about it"
            })
    void areNotLookedForInProse(String comment) throws Exception {
        changelog("changelog.sql", SQL, "\n--comment: " + comment);
        update(Map.of());
        assertThat(seen()).isEqualTo("2s");
    }

    /** Whoever extends Liquibase may have attributes of his own. */
    @Test
    void areNotSeenInAttributesOfOthers() throws Exception {
        changelog(
                "changelog.yaml",
                YAML,
                AN_INDENT + "runOrder: last" + AN_INDENT + "created: today" + AN_INDENT
                        + "ticket: SHOP-1" + AN_INDENT + "labels: release" + AN_INDENT + "context: test" + AN_INDENT
                        + "owner: alice");
        update(Map.of());
        assertThat(seen()).isEqualTo("2s");
    }
}
