// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.sql.Connection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Tests that misuse the testkit: {@link PostgresTestTest} runs them and looks at how they fail. */
@PostgresTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MisusingCases {
    MisusingCases(Connection connection) {}

    @Test
    void neverRuns() {}
}
