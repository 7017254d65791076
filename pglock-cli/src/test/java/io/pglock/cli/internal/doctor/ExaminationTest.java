// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.cli.internal.server.Server;
import io.pglock.cli.internal.server.ServerOptions;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** What a call of the command cannot show: on a machine whose own clock is wrong. */
@PostgresTest
class ExaminationTest {

    @Test
    void tellsWhenTheClocksOfServerAndMachineDoNotAgree(Database database) throws SQLException {
        assertThat(clock(database, Duration.ofHours(-1)))
                .satisfies(found -> assertThat(found.level()).isEqualTo(Finding.Level.WARN))
                .extracting(Finding::says)
                .asString()
                .matches("the server's clock is (1h|59m.*|60m.*) ahead of this machine's");
        assertThat(clock(database, Duration.ofMinutes(5)).says()).endsWith(" behind this machine's");
        assertThat(clock(database, Duration.ofSeconds(1)).level()).isEqualTo(Finding.Level.OK);
    }

    private static Finding clock(Database database, Duration wrong) throws SQLException {
        return new Examination(
                        server(database),
                        Optional.of(Duration.ofSeconds(2)),
                        Duration.ofMinutes(5),
                        Clock.offset(Clock.systemUTC(), wrong))
                .run().stream()
                        .filter(finding -> finding.check().equals("clock"))
                        .findFirst()
                        .orElseThrow();
    }

    /** The options as a command has them. */
    @Command
    private static final class Asked {
        @Mixin
        private ServerOptions server = new ServerOptions();
    }

    private static Server server(Database database) {
        Asked asked = new Asked();
        new CommandLine(asked)
                .parseArgs(
                        "--url",
                        database.url() + (database.url().contains("?") ? "&" : "?") + "password=" + database.password(),
                        "--user",
                        database.user());
        return asked.server.server();
    }
}
