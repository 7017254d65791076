// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;

class PostgresTestTest {
    @ParameterizedTest
    @ValueSource(strings = {"nothing", "aSettingOnPurpose", "aKilledConnection"})
    void aTestThatLeavesNothingPasses(String test) {
        assertThat(run(test)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
                    aSession             | SESSION              | "(forgotten, idle): "
                    anAdvisoryLock       | ADVISORY_LOCK        | advisory lock 7,8,2 ShareLock held by pid
                    aPreparedTransaction | PREPARED_TRANSACTION | it's left
                    aSetting             | SETTING              | an injected connection has lock_timeout = 3000, not its default
                    severalSettings      | SETTING              | an injected connection has application_name = changed, not PostgreSQL JDBC Driver
                    severalSettings      | SETTING              | an injected connection has autocommit = false, not true
                    severalSettings      | SETTING              | default_transaction_isolation = serializable, not
                    severalSettings      | SETTING              | search_path = pg_catalog, not
                    severalSettings      | SETTING              | statement_timeout = 4000, not
                    aTransaction         | TRANSACTION          | an injected connection is in an open transaction
                    aFailedTransaction   | TRANSACTION          | an injected connection is in a failed transaction
                    aThread              | THREAD               | pglock-watch-1
                    """)
    void aTestFailsNamingWhatItHasLeftBehind(String test, String kind, String named) throws SQLException {
        assumeTrue(!kind.equals("PREPARED_TRANSACTION") || allowsPreparedTransactions());

        assertThat(run(test)).contains("the test has left behind:\n", "  " + kind + "\n    ", named);
    }

    @Test
    void whatIsLeftByOneTestIsNotHeldAgainstTheNext() {
        var results = EngineTestKit.engine("junit-jupiter")
                .configurationParameter("pglock.test.patience", "PT0.3S")
                .selectors(selectClass(LeavingCases.class))
                .execute()
                .testEvents()
                .assertStatistics(
                        statistics -> statistics.started(11).succeeded(3).failed(8));
        assertThat(results.failed().stream().map(PostgresTestTest::message))
                .allSatisfy(message -> assertThat(
                                message.lines().filter(line -> line.startsWith("  ") && !line.startsWith("    ")))
                        .as(message)
                        .hasSizeBetween(1, 2));
    }

    @Test
    void aConnectionForAWholeClassIsRefused() {
        assertThat(failure(selectClass(MisusingCases.class)))
                .contains("Connection belongs to one test: ask for it in the test, in @BeforeEach or @AfterEach");
    }

    private static boolean allowsPreparedTransactions() throws SQLException {
        try (Connection connection = PostgresServer.shared().maintenance().connect()) {
            return !Rows.read(connection, "show max_prepared_transactions").contains("0");
        }
    }

    private static String run(String test) {
        return failure(selectMethod(LeavingCases.class, method(test)));
    }

    private static Method method(String name) {
        for (var method : LeavingCases.class.getDeclaredMethods()) {
            if (method.getName().equals(name)) {
                return method;
            }
        }
        throw new AssertionError(name);
    }

    /** The message of the failure, or nothing. */
    private static String failure(DiscoverySelector selector) {
        return EngineTestKit.engine("junit-jupiter")
                .configurationParameter("pglock.test.patience", "PT0.3S")
                .selectors(selector)
                .execute()
                .allEvents()
                .failed()
                .stream()
                .map(PostgresTestTest::message)
                .findFirst()
                .orElse("");
    }

    private static String message(Event event) {
        return event.getRequiredPayload(TestExecutionResult.class)
                .getThrowable()
                .map(Throwable::getMessage)
                .orElse("(no message)");
    }
}
