// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.LockPolicy;
import io.pglock.cli.internal.doctor.Examination;
import io.pglock.cli.internal.doctor.Finding;
import io.pglock.cli.internal.doctor.Finding.Level;
import io.pglock.cli.internal.server.ServerOptions;
import io.pglock.internal.Json;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code pglock doctor}: what would stop pglock from working here. */
@Command(
        name = "doctor",
        description = {
            "What would stop pglock from working here, each with its remedy. Changes nothing.",
            "Exit code 2 when something is bad."
        },
        mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n",
        footer = {
            "  pglock doctor                      # this server, database and role",
            "  pglock doctor --lock-timeout 500ms # with migrations that wait no longer",
            "  pglock doctor --json | jq '.[] | select(.level == \"bad\")'"
        })
final class Doctor implements Callable<Integer> {

    private final Console console;

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Option(names = "--json", description = "An array of objects: level, check, says, remedy.")
    private boolean json;

    @Option(
            names = "--lock-timeout",
            paramLabel = "TIME",
            description =
                    "The lock timeout that migrations run with, none for none. Default: 2s, as everywhere in pglock.")
    private @Nullable String lockTimeout;

    @Option(
            names = "--old",
            paramLabel = "TIME",
            defaultValue = "5m",
            description = "From this age on a transaction is old. Default: 5m.")
    private String old = "";

    Doctor(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws SQLException {
        LockPolicy policy = TimeOption.lockTimeout(LockPolicy.defaults(), lockTimeout);
        Duration oldAge = TimeOption.read("--old", old, Duration.ZERO);
        List<Finding> findings =
                new Examination(server.server(), policy.lockTimeout(), oldAge, Clock.systemUTC()).run();
        if (json) {
            console.line(Json.of(findings.stream().map(Finding::asMap).toList()));
        } else {
            findings.forEach(finding -> finding.lines().forEach(console::line));
        }
        return findings.stream().anyMatch(finding -> finding.level() == Level.BAD) ? ExitCode.FOUND : ExitCode.OK;
    }
}
