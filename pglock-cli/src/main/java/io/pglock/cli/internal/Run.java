// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.LockKey;
import io.pglock.cli.internal.run.LockedCommand;
import io.pglock.cli.internal.run.OnLost;
import io.pglock.cli.internal.server.ServerOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Stack;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.IParameterConsumer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pglock run}: a command that runs while a lock is held, on one machine of many at a time. */
@Command(
        name = "run",
        description = {
            "Runs a command while an advisory lock is held: on one machine of many at a time.",
            "Waits for the lock for ever, unless told otherwise. The exit code is the command's."
        },
        mixinStandardHelpOptions = true,
        customSynopsis = "pglock run [OPTION...] KEY -- COMMAND [ARGUMENT...]",
        footerHeading = "%nExamples:%n",
        footer = {
            "  pglock run nightly-report -- ./report --full     # once in the whole cluster, one after the other",
            "  pglock run nightly-report --nowait -- ./report   # 75 when it runs elsewhere already",
            "  pglock run deploy --timeout 5m -- ./deploy.sh",
            "  pglock run backup --shared -- ./read-something   # together with others that are shared",
            "  pglock run --number 42 -- ./job                  # pg_advisory_lock(42)",
            "",
            "The command finds the key in PGLOCK_KEY, and in PGLOCK_FENCING_TOKEN a number greater than",
            "that of everybody who has held this lock before."
        })
final class Run implements Callable<Integer> {

    /** PostgreSQL counts the milliseconds of a timeout in an int. */
    private static final Duration LONGEST = Duration.ofDays(24);

    private final Console console;

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Parameters(
            index = "0",
            paramLabel = "KEY",
            description =
                    "The name of the lock: the same one as pglock.advisory(\"KEY\") in Django, and LockKey.named in Java.")
    private String key = "";

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "COMMAND",
            parameterConsumer = AllThatFollows.class,
            description = "What to run, with its arguments. Write -- before it.")
    private List<String> command = List.of();

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            description = "Wait at most so long for the lock: 500ms, 30s, 5m. Exit code 75 when it was not acquired.")
    private @Nullable String timeout;

    @Option(names = "--nowait", description = "Do not wait for it. Exit code 75 when it was not acquired.")
    private boolean nowait;

    @Option(names = "--shared", description = "Hold it together with others that are shared.")
    private boolean shared;

    @Option(names = "--number", description = "KEY is a number, 42, or two: 1,2.")
    private boolean number;

    @Option(
            names = "--on-lost",
            paramLabel = "stop|warn|kill",
            defaultValue = "stop",
            description =
                    "When the lock is lost while the command runs: stop it, warn only, or kill it. Exit code 69, except for warn.")
    private OnLost onLost = OnLost.STOP;

    @Option(
            names = "--grace",
            paramLabel = "TIME",
            defaultValue = "10s",
            description = "Between SIGTERM and SIGKILL when the command is stopped.")
    private String grace = "";

    /** What follows the program's name is the program's, also where it looks like an option of ours: {@code pg_dump -p 5433}. */
    private static final class AllThatFollows implements IParameterConsumer {

        @Override
        public void consumeParameters(Stack<String> words, ArgSpec argument, CommandSpec command) {
            List<String> all = new ArrayList<>(words);
            Collections.reverse(all);
            words.clear();
            argument.setValue(List.copyOf(all));
        }
    }

    Run(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException {
        LockedCommand.Order order = new LockedCommand.Order(
                lockKey(), key, shared, patience(), onLost, duration("--grace", grace), command);
        return new LockedCommand(console, server.server(), order).run();
    }

    private Optional<Duration> patience() {
        boolean atOnce = nowait && (timeout == null || server.isNearer("nowait", "timeout"));
        if (nowait && !atOnce && !server.isNearer("timeout", "nowait")) {
            throw Stop.usage("--nowait and --timeout exclude each other.");
        }
        return atOnce
                ? Optional.of(Duration.ZERO)
                : Optional.ofNullable(timeout)
                        .filter(text -> !text.equals("none"))
                        .map(text -> duration("--timeout", text));
    }

    private static Duration duration(String option, String text) {
        return TimeOption.read(option, text, Duration.ZERO, LONGEST);
    }

    /** Where the JVM does not know the terminal's encoding, all names look the same, and one lock would stand for many. */
    private void requireReadable() {
        if (key.indexOf('\uFFFD') >= 0) {
            throw Stop.usage("KEY is not readable as " + System.getProperty("sun.jnu.encoding")
                    + ", so it would be another lock than elsewhere. Set LC_ALL=C.UTF-8.");
        }
    }

    /** Not repeated: the URL of a server may have a password in it. */
    private void requireName() {
        if (key.matches("(jdbc:)?postgres(ql)?://.*")) {
            throw Stop.usage(
                    "KEY is the URL of a server; that is written --url URL, and the name of the lock after it.");
        }
    }

    private LockKey lockKey() {
        try {
            if (key.isEmpty()) {
                throw Stop.usage("KEY is empty: a lock has a name, or with --number a number.");
            }
            requireName();
            if (!number) {
                requireReadable();
                return LockKey.named(key);
            }
            String[] numbers = key.split(",", -1);
            return switch (numbers.length) {
                case 1 -> LockKey.of(Long.parseLong(key.strip()));
                case 2 -> LockKey.of(Integer.parseInt(numbers[0].strip()), Integer.parseInt(numbers[1].strip()));
                default -> throw new NumberFormatException();
            };
        } catch (NumberFormatException e) {
            throw Stop.usage("\"" + key + "\" is not a number of 64 bits, nor two of 32 bits with a comma between them,"
                    + " as --number wants it.");
        } catch (IllegalArgumentException e) {
            throw Stop.usage("KEY: " + e.getMessage());
        }
    }
}
