// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.LockMode;
import io.pglock.LockPolicy;
import io.pglock.cli.internal.script.Interruption;
import io.pglock.cli.internal.script.SqlFiles;
import io.pglock.cli.internal.script.SqlStatement;
import io.pglock.cli.internal.script.SqlUnit;
import io.pglock.cli.internal.select.SelectionOptions;
import io.pglock.cli.internal.select.Values;
import io.pglock.cli.internal.server.Server;
import io.pglock.cli.internal.server.ServerOptions;
import io.pglock.cli.internal.trace.ScratchServer;
import io.pglock.cli.internal.trace.TraceRun;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pglock trace}: which locks the statements of files take. */
@Command(
        name = "trace",
        description = {
            "Which locks each statement of some files takes, on what, for how long, and whether it rewrites a table.",
            "",
            "Runs them in one transaction that is rolled back, on the server that is named; or with --scratch on a"
                    + " PostgreSQL of its own, which is started for that and deleted afterwards.",
            ""
        },
        footer = {
            "",
            "On a server in use the locks are real until the end, and others wait for them. What a rollback does not undo stays:"
                    + " numbers taken from sequences, what dblink or COPY TO do elsewhere.",
            "",
            "Examples:",
            "  pglock trace V7__add_note.sql",
            "  pglock trace --scratch --schema schema.sql V7__add_note.sql",
            "  pglock trace --scratch --schema schema.sql --max 'SHARE UPDATE EXCLUSIVE' V7/*.sql",
            "",
            "Exit codes: 0 traced, 1 the files or the options are wrong, 2 a lock is stronger than --max, 65 a statement failed,"
                    + " 69 the server is not there, 75 a lock was not got, 130 ctrl-c."
        },
        sortOptions = false,
        mixinStandardHelpOptions = true)
final class Trace implements Callable<Integer> {

    /** What a rollback does not undo would be done again by another attempt. */
    private static final LockPolicy ONCE = LockPolicy.parse(Map.of("retryDeadline", "0s"));

    private final Console console;

    @Parameters(paramLabel = "FILE", arity = "1..*", description = "Files of SQL, in UTF-8; - is the standard input.")
    private List<String> names = new ArrayList<>();

    @Option(
            names = "--scratch",
            description = "On a PostgreSQL of its own, where each statement is committed by itself.")
    private boolean scratch;

    @Option(
            names = "--schema",
            paramLabel = "FILE",
            split = SelectionOptions.BETWEEN,
            splitSynopsisLabel = "",
            description =
                    "With --scratch: SQL that makes what is there before, for instance from pg_dump --schema-only."
                            + " May be repeated.")
    private List<String> schema = new ArrayList<>();

    @Option(
            names = "--postgres-bin",
            paramLabel = "FOLDER",
            description =
                    "With --scratch: where its initdb and pg_ctl are. Default: a PostgreSQL that comes with pglock, else"
                            + " the one on the PATH.")
    private @Nullable Path postgresBin;

    @Option(
            names = {"-1", "--single-transaction"},
            description = "With --scratch: all files in one transaction.")
    private boolean single;

    @Option(
            names = "--max",
            paramLabel = "MODE",
            description =
                    "Exit with 2 if a lock on something that was there before is stronger, for instance than 'SHARE UPDATE"
                            + " EXCLUSIVE'.")
    private @Nullable String max;

    @Option(
            names = "--lock-timeout",
            paramLabel = "2s",
            description = "Longest wait for one lock on a server in use. Default: 2s.")
    private @Nullable String lockTimeout;

    @Option(names = "--json", description = "One JSON object instead of lines.")
    private boolean json;

    @Mixin
    private ServerOptions server = new ServerOptions();

    Trace(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws SQLException {
        Optional<LockMode> strongestAllowed = Optional.ofNullable(max).map(Trace::mode);
        if (!scratch
                && (!schema.isEmpty() && server.isForThisCall("schema")
                        || postgresBin != null && server.isForThisCall("postgres-bin")
                        || single && server.isForThisCall("single-transaction"))) {
            throw Stop.usage("--schema, --postgres-bin and -1 count only together with --scratch.");
        }
        // before ctrl-c is ours: while another program still writes them there is nothing to put in order
        SqlFiles files = SqlFiles.read(names);
        SqlFiles before = SqlFiles.read(scratch ? schema : List.of());
        boolean none = files.statements(!scratch || single).stream().allMatch(List::isEmpty);
        TraceRun run;
        try (Interruption interruption = Interruption.begin()) {
            run = new TraceRun(console, interruption, json);
            try {
                if (none) {
                    console.say("there is no statement in " + String.join(", ", names) + ".");
                    run.end(scratch);
                } else if (scratch) {
                    scratch(run, before, files);
                } else {
                    live(run, files);
                }
            } catch (Interruption.Interrupted e) {
                console.say("interrupted; " + (scratch ? "the scratch server is gone." : "all of it was rolled back."));
                return ExitCode.SIGNALLED + 2;
            }
        }
        return strongestAllowed.map(run::check).orElse(ExitCode.OK);
    }

    private void live(TraceRun run, SqlFiles files) throws SQLException {
        requireNoTransaction(files.statements(true));
        LockPolicy policy = TimeOption.lockTimeout(ONCE, lockTimeout);
        Server target = server.server();
        try (Connection connection = target.connect()) {
            console.say("tracing " + String.join(", ", names) + " in database " + connection.getCatalog()
                    + " in one transaction that is rolled back. Until then its locks are real; it waits for one for up to "
                    + Optional.ofNullable(lockTimeout).orElse("2s") + ".");
            SqlUnit unit =
                    files.units(true, SqlFiles.hasStandardStrings(connection)).get(0);
            run.live(connection, target.dataSource(), policy, unit);
        }
    }

    private static void requireNoTransaction(List<List<SqlStatement>> files) {
        files.stream()
                .flatMap(List::stream)
                .filter(statement -> statement.beginsTransaction() || statement.endsTransaction())
                .findFirst()
                .ifPresent(statement -> {
                    throw Stop.usage(
                            statement.place() + ": this is run in one transaction that is rolled back, so there can"
                                    + " be no " + statement.words().get(0).toUpperCase(Locale.ROOT)
                                    + " in it. Trace it with --scratch.");
                });
    }

    private void scratch(TraceRun run, SqlFiles schema, SqlFiles files) throws SQLException {
        List<SqlStatement> before =
                schema.statements(false, true).stream().flatMap(List::stream).toList();
        List<SqlUnit> units = files.units(single, true);
        try (ScratchServer started = ScratchServer.start(Optional.ofNullable(postgresBin))) {
            run.scratch(started, before, units);
        }
    }

    private static LockMode mode(String text) {
        return Values.mode(text)
                .orElseThrow(() -> Stop.usage("--max " + text + ": is not a lock mode. There are: "
                        + Arrays.stream(LockMode.values()).map(LockMode::sql).collect(Collectors.joining(", ")) + "."));
    }
}
