// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.LockQuery;
import io.pglock.Signal;
import io.pglock.cli.internal.select.Attribute;
import io.pglock.cli.internal.select.Attributes;
import io.pglock.cli.internal.select.Found;
import io.pglock.cli.internal.select.RowOptions;
import io.pglock.cli.internal.select.Selection;
import io.pglock.cli.internal.server.Server;
import io.pglock.cli.internal.server.ServerOptions;
import io.pglock.cli.internal.signal.SignalOptions;
import io.pglock.cli.internal.view.OutputOptions;
import io.pglock.cli.internal.view.Refresh;
import io.pglock.cli.internal.view.View;
import io.pglock.cli.internal.view.Views;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pglock ls}: the locks, and who has or wants them. */
@Command(
        name = "ls",
        description = {
            "The locks of the whole server, and who has or wants them; who waits longest comes first.",
            "Without the name of a command, this is it: pglock [PID...]."
        },
        mixinStandardHelpOptions = true)
final class Ls implements Callable<Integer> {

    private static final int LIMIT_FOR_PEOPLE = 25;
    private static final String NOTHING = "no locks";

    private final Console console;
    private final Set<String> said = new LinkedHashSet<>();

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Mixin
    private RowOptions selection = new RowOptions();

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Option(
            names = {"-a", "--attribute"},
            paramLabel = "ATTRIBUTE",
            description = "What to show of each, in this order.")
    private List<String> attributes = new ArrayList<>();

    @Option(
            names = "--watch",
            paramLabel = "TIME",
            description = "Again and again, after this time each; until it is interrupted.")
    private @Nullable String watch;

    @Option(
            names = "--check",
            negatable = true,
            description = "End with exit code 2 when one of these locks is not granted yet.")
    private boolean check;

    @Option(
            names = "--cancel",
            negatable = true,
            description = "Cancel these sessions' statements, after showing them and asking.")
    private boolean cancel;

    @Option(names = "--terminate", negatable = true, description = "End these sessions, after showing them and asking.")
    private boolean terminate;

    @Mixin
    private SignalOptions signalling = new SignalOptions();

    Ls(Console console) {
        this.console = console;
    }

    @Spec
    void describe(CommandSpec command) {
        command.usageMessage().footer(LsHelp.footer());
    }

    @Override
    public Integer call() throws SQLException {
        if (cancel || terminate) {
            return signal();
        }
        boolean forPeople = output.format().isForPeople();
        Selection asked = selection.selection(server.profile().limit());
        boolean toPerson = forPeople && console.showsPerson();
        Selection shown = toPerson ? asked.limitedTo(LIMIT_FOR_PEOPLE) : asked;
        Optional<String> watching = Optional.ofNullable(watch).filter(time -> counts("watch", check, "check"));
        boolean checking = check && counts("check", watch != null, "watch");
        if (watching.isPresent() && checking) {
            throw Stop.usage("--check ends at once and --watch never; they exclude each other");
        }
        View view = Views.of(output, console, attributes(asked.isBlocking()), asked.isBlocking(), watching.isPresent());
        if (watching.isEmpty()) {
            try (Connection connection = server.server().connectToLook()) {
                Found found = shown.read(LockQuery.on(connection));
                view.lines(found.rows(), false).forEach(console::line);
                remark(found, found.notes(), toPerson);
                if (toPerson && found.all().isEmpty()) {
                    console.say(NOTHING);
                }
                return checking ? checked(found) : ExitCode.OK;
            }
        }
        Refresh refresh = Refresh.every("--watch", watching.get(), console);
        String clear = toPerson ? Refresh.clear() : "";
        try (Connection connection = server.server().connectToLook()) {
            refresh.forEver(again -> {
                Found found = shown.read(LockQuery.on(connection));
                List<String> lines = view.lines(found.rows(), again);
                if (forPeople) {
                    console.out().print(clear);
                    console.line((again && clear.isEmpty() ? "\n" : "") + now());
                }
                (lines.isEmpty() && forPeople ? List.of(NOTHING) : lines).forEach(console::line);
                // what is shown in place is gone with the next round, and so is what was said of it
                remark(found, toPerson ? found.notes() : unsaid(found.notes()), toPerson);
            });
        }
        return ExitCode.OK;
    }

    private int checked(Found found) {
        if (found.isBlocked()) {
            return ExitCode.FOUND;
        }
        if (found.mayBeBlocked()) {
            console.say(Selection.UNANSWERED);
            return ExitCode.NOT_PERMITTED;
        }
        return ExitCode.OK;
    }

    /** Of two that exclude each other, what is said for this call stands for a default. */
    private boolean counts(String option, boolean otherSaid, String other) {
        return server.isForThisCall(option) || !otherSaid || !server.isForThisCall(other);
    }

    private static String now() {
        return DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(
                OffsetDateTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS));
    }

    private int signal() throws SQLException {
        if (cancel && terminate) {
            throw Stop.usage("--cancel and --terminate exclude each other");
        }
        if (watch != null && server.isForThisCall("watch") || check && server.isForThisCall("check")) {
            throw Stop.usage("--watch and --check only look; --cancel and --terminate do not go with them");
        }
        Selection asked = selection.toSignal(server.profile());
        Server to = server.server();
        try (Connection connection = to.connectToLook()) {
            return signalling
                    .signalling(console, terminate ? Signal.TERMINATE : Signal.CANCEL, to.describe(connection))
                    .run(connection, asked);
        }
    }

    private List<Attribute> attributes(boolean blocking) {
        List<String> names = attributes.isEmpty() ? server.profile().attributes(blocking) : attributes;
        List<Attribute> all = Attributes.named(names);
        all.forEach(attribute -> Selection.requireKnown(attribute, blocking));
        return all;
    }

    private List<String> unsaid(List<String> notes) {
        return notes.stream().filter(said::add).toList();
    }

    /** Below the rows. */
    private void remark(Found found, List<String> notes, boolean toPerson) {
        console.flush();
        notes.forEach(console::say);
        if (toPerson && found.isCut()) {
            console.say("these are " + found.limit() + " of " + found.all().size() + "; --limit none shows all");
        }
    }
}
