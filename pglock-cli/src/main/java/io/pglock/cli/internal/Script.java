// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.LockPolicy;
import io.pglock.cli.internal.script.GuardOptions;
import io.pglock.cli.internal.script.Interruption;
import io.pglock.cli.internal.script.ScriptRun;
import io.pglock.cli.internal.script.SqlFiles;
import io.pglock.cli.internal.script.SqlUnit;
import io.pglock.cli.internal.server.Server;
import io.pglock.cli.internal.server.ServerOptions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pglock sql}: files of SQL, applied under the guard. */
@Command(
        name = "sql",
        description = {
            "Applies files of SQL without making others wait: with a lock timeout, tried again when a lock was not got,"
                    + " giving way to those who wait behind it, and naming or ending who is in the way.",
            "",
            "Each statement is committed by itself, and what stands between BEGIN and COMMIT together, unless -1 is given."
                    + " It stops at the first that fails.",
            ""
        },
        footer = {
            "",
            "Every setting may also stand in the environment (PGLOCK_LOCK_TIMEOUT=3s), and in the file, above the first"
                    + " statement for all of it or above another one for that:",
            "  -- pglock: lockTimeout=3s prioritize=terminate",
            "",
            "Examples:",
            "  pglock sql add_note.sql                  # each statement by itself",
            "  pglock sql -1 V7/*.sql                   # all or nothing",
            "  pglock sql --prioritize terminate - <fix.sql",
            "",
            "Exit codes: 0 applied, 1 nothing was done because the files or the options are wrong, 65 a statement failed,"
                    + " 69 the server is not there, 75 a lock was not got in the end, 130 ctrl-c."
        },
        sortOptions = false,
        modelTransformer = GuardOptions.Adding.class,
        mixinStandardHelpOptions = true)
final class Script implements Callable<Integer>, GuardOptions.Guarded {

    private final Console console;
    private final GuardOptions guard = new GuardOptions();

    @Spec
    private CommandSpec command = CommandSpec.create();

    @Parameters(paramLabel = "FILE", arity = "1..*", description = "Files of SQL, in UTF-8; - is the standard input.")
    private List<String> names = new ArrayList<>();

    @Option(
            names = {"-1", "--single-transaction"},
            description = "All files in one transaction, which is tried again as a whole.")
    private boolean single;

    @Option(names = "--dry-run", description = "Only list the statements.")
    private boolean dryRun;

    @Option(
            names = {"-q", "--quiet"},
            description = "Say nothing about statements that went well.")
    private boolean quiet;

    @Mixin
    private ServerOptions server = new ServerOptions();

    Script(Console console) {
        this.console = console;
    }

    @Override
    public GuardOptions guard() {
        return guard;
    }

    @Override
    public Integer call() throws SQLException {
        SqlFiles files = SqlFiles.read(names);
        LockPolicy policy = guard.policy(command, System.getenv());
        List<SqlUnit> units = files.units(single);
        units.forEach(unit -> unit.policy(policy)); // all mistakes before anything is done
        if (dryRun) {
            units.forEach(this::list);
            return ExitCode.OK;
        }
        Server target = server.server();
        try (Interruption interruption = Interruption.begin();
                Connection connection = target.connect()) {
            ScriptRun run = new ScriptRun(console, connection, target.dataSource(), policy, interruption, quiet);
            try {
                run.run(files.units(single, SqlFiles.hasStandardStrings(connection)));
                return ExitCode.OK;
            } catch (Interruption.Interrupted e) {
                console.say(run.interruptedAt());
                return ExitCode.SIGNALLED + 2;
            }
        }
    }

    private void list(SqlUnit unit) {
        String together = unit.kind() == SqlUnit.Kind.STATEMENT ? "" : "  | ";
        unit.statements().forEach(statement -> console.line(statement.place() + "  " + together + statement.title()));
    }
}
