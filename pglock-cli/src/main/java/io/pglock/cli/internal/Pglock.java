// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.cli.internal.profile.ProfileDefaults;
import io.pglock.cli.internal.server.ServerFailure;
import io.pglock.internal.Log;
import io.pglock.internal.Setting;
import java.io.PrintWriter;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.text.MessageFormat;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.ResourceBundle;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command itself: which of its commands is meant, and what becomes of their failures. Not API. */
@Command(
        name = "pglock",
        description = "PostgreSQL's locks under control: who holds, who waits, who blocks whom.",
        subcommands = {CommandLine.HelpCommand.class},
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "[COMMAND]",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:the command line, a profile or a file is wrong, or the answer was no; nothing was done",
            "2:found what was asked for: somebody is blocked (--check), a lock is stronger than allowed, something is in pglock's way",
            "65:an SQL statement failed",
            "69:the server cannot be reached or was lost, and with it a lock",
            "70:a defect of pglock",
            "74:the output cannot be written",
            "75:the lock was not acquired",
            "77:the role may not do it",
            "126, 127:run: the command cannot be executed, does not exist",
            "128+n:ended by signal n"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  pglock                                     # who holds and who waits for which lock",
            "  pglock tree                                # who waits for whom",
            "  pglock --on orders --blocking --terminate  # end who blocks others on orders, after a question",
            "  pglock run nightly-report -- ./report      # once in the whole cluster",
            "",
            "pglock COMMAND --help tells more about each."
        })
public final class Pglock {

    private static final String DEFAULT_COMMAND = "ls";
    private static final Set<String> FOR_ALL = Set.of("help", "-h", "--help", "-V", "--version");

    private final Console console;
    private final Map<String, Supplier<Callable<Integer>>> commands;

    /** @param console where all of it reads and writes */
    public Pglock(Console console) {
        this.console = console;
        this.commands = commands(console);
    }

    /** Runs what is asked for, and gives the exit code. Throws nothing. */
    public int run(String... arguments) {
        Log.use(new ConsoleLog(console));
        List<String> words = words(List.of(arguments));
        Optional<String> unknown = unknownCommand(words);
        if (unknown.isPresent()) {
            console.say(unknown.get());
            return ExitCode.USAGE;
        }
        try {
            return finish(commandLine(asked(words)).execute(words.toArray(String[]::new)));
        } catch (LinkageError | AssertionError | StackOverflowError e) {
            console.say("a defect of pglock: " + e);
            return ExitCode.DEFECT;
        }
    }

    /** Every command, by its name, in the order of the help. */
    private Map<String, Supplier<Callable<Integer>>> commands(Console console) {
        Map<String, Supplier<Callable<Integer>>> commands = new LinkedHashMap<>();
        commands.put("ls", () -> new Ls(console));
        commands.put("tree", () -> new Tree(console));
        commands.put("watch", () -> new Watch(console));
        commands.put("run", () -> new Run(console));
        commands.put("doctor", () -> new Doctor(console));
        commands.put("sql", () -> new Script(console));
        commands.put("trace", () -> new Trace(console));
        commands.put("cancel", () -> new Cancel(console));
        commands.put("terminate", () -> new Terminate(console));
        commands.put("completion", () -> new Completion(console, this));
        return commands;
    }

    /** Without the name of a command it is the list that is asked for. */
    private List<String> words(List<String> arguments) {
        String first = arguments.isEmpty() ? "" : arguments.get(0);
        return commands.containsKey(first) || FOR_ALL.contains(first)
                ? arguments
                : Stream.concat(Stream.of(DEFAULT_COMMAND), arguments.stream()).toList();
    }

    /** Of a word that is no command, nor something that the list knows what to do with. */
    private Optional<String> unknownCommand(List<String> words) {
        String word = words.size() > 1 && words.get(0).equals(DEFAULT_COMMAND) ? words.get(1) : "";
        if (!word.matches("\\p{Alpha}[\\w-]*")) {
            return Optional.empty();
        }
        return Optional.of(word + " is neither a command nor a process id; "
                + Setting.nearest(word, List.copyOf(commands.keySet()))
                        .map(near -> "did you mean " + near + "?")
                        .orElse("pglock --help lists the commands, and --on " + word + " asks for a table"));
    }

    /** To read the options of a command takes a while, so only those are read that are needed. */
    private Collection<String> asked(List<String> words) {
        return FOR_ALL.contains(words.get(0)) ? commands.keySet() : List.of(words.get(0));
    }

    /** With every command. */
    CommandLine commandLine() {
        return commandLine(commands.keySet());
    }

    private CommandLine commandLine(Collection<String> names) {
        CommandLine line = new CommandLine(this);
        names.forEach(name -> line.addSubcommand(
                name, new CommandLine(Objects.requireNonNull(commands.get(name)).get())));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        // so that a flag that is typed is true also where a profile says the same
        line.setToggleBooleanFlags(true);
        // an argument that begins with @ may be the command's that is run
        line.setExpandAtFiles(false);
        // the values of a profile stand side by side, and a quote in one has nothing to do with one in the next
        line.getSubcommands()
                .values()
                .forEach(command -> command.getCommandSpec().parser().splitQuotedStrings(true));
        line.setDefaultValueProvider(new ProfileDefaults(this::commandLine, System.getenv()));
        line.setOut(new PrintWriter(console.out(), true, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(console.err(), true, StandardCharsets.UTF_8));
        line.setParameterExceptionHandler((failure, words) -> {
            console.say(told(failure) + meant(failure));
            console.err()
                    .println("Try " + failure.getCommandLine().getCommandSpec().qualifiedName() + " --help.");
            return ExitCode.USAGE;
        });
        line.setExecutionExceptionHandler((failure, command, result) -> failed(failure));
        return line;
    }

    /** Picocli's message; of a word that nobody asked for, nothing of what may be a password. */
    private static String told(ParameterException failure) {
        String message = String.valueOf(failure.getMessage());
        if (failure instanceof UnmatchedArgumentException unmatched) {
            for (String word : unmatched.getUnmatched()) {
                String safe = word.startsWith("-")
                        ? word.replaceFirst("(?s)=.*", "")
                        : unmatched.isUnknownOption() ? "..." : word.replaceFirst("(?s)(=|://).*", "$1...");
                message = message.replace(word, safe);
            }
        }
        return message;
    }

    /** The option that was probably meant where there is no such one. */
    private static String meant(ParameterException failure) {
        return failure instanceof UnmatchedArgumentException unmatched && unmatched.isUnknownOption()
                ? Setting.nearest(
                                unmatched.getUnmatched().get(0).replaceFirst("=.*", ""),
                                List.copyOf(failure.getCommandLine()
                                        .getCommandSpec()
                                        .optionsMap()
                                        .keySet()))
                        .map(near -> "; did you mean " + near + "?")
                        .orElse("")
                : "";
    }

    private int failed(Exception failure) {
        Optional<Stop> stop = ServerFailure.of(failure);
        console.say(stop.map(Stop::getMessage).orElseGet(() -> "a defect of pglock: " + failure));
        return stop.map(Stop::exitCode).orElse(ExitCode.DEFECT);
    }

    private int finish(int code) {
        if (code == ExitCode.CLOSED_PIPE || code == ExitCode.NOT_WRITTEN) {
            return code; // which has been said
        }
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
        public void log(Level level, ResourceBundle bundle, String message, Throwable thrown) {
            if (isLoggable(level)) {
                console.say(message);
            }
        }

        @Override
        public void log(Level level, ResourceBundle bundle, String format, Object... values) {
            if (isLoggable(level)) {
                console.say(values == null || values.length == 0 ? format : MessageFormat.format(format, values));
            }
        }
    }
}
