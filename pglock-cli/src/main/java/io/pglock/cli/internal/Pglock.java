// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.PgLockException;
import io.pglock.internal.Log;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command itself: which of its commands is meant, and what becomes of their failures. Not API. */
@Command(
        name = "pglock",
        description = "PostgreSQL's locks under control: who holds, who waits, who blocks whom.",
        subcommands = {CommandLine.HelpCommand.class},
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "[COMMAND]")
public final class Pglock {

    private static final String DEFAULT_COMMAND = "ls";

    private final Console console;

    /** @param console where all of it reads and writes */
    public Pglock(Console console) {
        this.console = console;
    }

    /** Runs what is asked for, and gives the exit code. Throws nothing. */
    public int run(String... arguments) {
        Log.use(new ConsoleLog(console));
        CommandLine line = commandLine();
        List<String> words = words(line, List.of(arguments));
        int code = line.execute(words.toArray(String[]::new));
        return finish(code);
    }

    CommandLine commandLine() {
        CommandLine line = new CommandLine(this);
        line.addSubcommand(new Ls(console));
        line.addSubcommand(new Tree(console));
        line.addSubcommand(new Cancel(console));
        line.addSubcommand(new Terminate(console));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setAbbreviatedOptionsAllowed(false);
        line.setOut(new java.io.PrintWriter(console.out(), true));
        line.setErr(new java.io.PrintWriter(console.err(), true));
        line.setParameterExceptionHandler((failure, words) -> {
            console.say(failure.getMessage());
            console.err()
                    .println("Try pglock "
                            + (failure.getCommandLine().getParent() == null
                                    ? ""
                                    : failure.getCommandLine().getCommandName() + " ")
                            + "--help.");
            return ExitCode.USAGE;
        });
        line.setExecutionExceptionHandler((failure, command, result) -> failed(failure));
        return line;
    }

    /** Without the name of a command it is the list that is asked for. */
    private static List<String> words(CommandLine line, List<String> arguments) {
        String first = arguments.isEmpty() ? "" : arguments.get(0);
        boolean named = line.getSubcommands().containsKey(first)
                || Arrays.asList("-h", "--help", "-V", "--version").contains(first);
        return named
                ? arguments
                : Stream.concat(Stream.of(DEFAULT_COMMAND), arguments.stream()).toList();
    }

    private int failed(Exception failure) {
        if (failure instanceof Stop stop) {
            console.say(stop.getMessage());
            return stop.exitCode();
        }
        Throwable cause = failure instanceof PgLockException && failure.getCause() instanceof SQLException sql ? sql : failure;
        console.say(String.valueOf(cause.getMessage()));
        return cause instanceof SQLException ? ExitCode.UNAVAILABLE : ExitCode.DEFECT;
    }

    private int finish(int code) {
        try {
            console.flush();
            return code;
        } catch (Stop closed) {
            console.say(closed.getMessage());
            return closed.exitCode();
        }
    }

    /** What core has to say goes to the error output, as all that is not a result. */
    private record ConsoleLog(Console console) implements System.Logger {

        @Override
        public String getName() {
            return "pglock";
        }

        @Override
        public boolean isLoggable(Level level) {
            return level.getSeverity() >= Level.INFO.getSeverity();
        }

        @Override
        public void log(Level level, java.util.ResourceBundle bundle, String message, Throwable thrown) {
            if (isLoggable(level)) {
                console.say(message);
            }
        }

        @Override
        public void log(Level level, java.util.ResourceBundle bundle, String format, Object... values) {
            if (isLoggable(level)) {
                console.say(java.text.MessageFormat.format(format, values));
            }
        }
    }
}
