// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.PgLock;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

/** The server that the start pages use. */
class TryTest {

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    @Test
    void servesATableOnWhichSomebodyForgetsHisTransactionAgainAndAgain() throws Exception {
        Screen screen = Screen.on(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try (Try server = new Try(screen, 0);
                Connection reader = DriverManager.getConnection(server.url(), "shop", "shop")) {
            assertThat(forgetful(reader)).isOne();

            type(server, "");
            assertThat(forgetful(reader)).isZero();
            assertThat(printed()).contains("(support-tool) has committed");

            type(server, "");
            terminateForgetful(reader);
            type(server, "l\n\nq");
            assertThat(printed())
                    .contains(server.url(), "nobody waits for a lock", "(support-tool) has lost its session: ");

            assertThatThrownBy(() -> DriverManager.getConnection(server.url(), "shop", "wrong"))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("password authentication failed");
        }
    }

    private static void type(Try server, String lines) throws Exception {
        server.listen(new BufferedReader(new StringReader(lines + "\n")));
    }

    private static int forgetful(Connection reader) {
        return PgLock.on(reader)
                .locks()
                .on("orders")
                .state("idle in transaction")
                .list()
                .size();
    }

    private static void terminateForgetful(Connection reader) throws SQLException {
        try (Statement statement = reader.createStatement()) {
            statement.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'support-tool'");
        }
    }

    private String printed() {
        return printed.toString(StandardCharsets.UTF_8);
    }
}
