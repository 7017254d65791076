// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.signal;

import io.pglock.Backend;
import io.pglock.LockQuery;
import io.pglock.Signal;
import io.pglock.Signalled;
import io.pglock.Signalled.Outcome;
import io.pglock.cli.internal.Console;
import io.pglock.cli.internal.ExitCode;
import io.pglock.cli.internal.Printable;
import io.pglock.cli.internal.Stop;
import io.pglock.cli.internal.select.Found;
import io.pglock.cli.internal.select.Selection;
import io.pglock.cli.internal.view.Sessions;
import java.sql.Connection;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Shows who will be hit, asks, signals exactly those, and says what came of it. Not API. */
public final class Signalling {

    private static final Set<String> YES = Set.of("y", "yes");

    private final Console console;
    private final Signal signal;
    private final String server;
    private final boolean ask;
    private final boolean dryRun;

    /**
     * @param server what the server is called on which they are
     * @param ask whether to ask first
     * @param dryRun whether only to show
     */
    public Signalling(Console console, Signal signal, String server, boolean ask, boolean dryRun) {
        this.console = console;
        this.signal = signal;
        this.server = Printable.of(server);
        this.ask = ask;
        this.dryRun = dryRun;
    }

    /**
     * To the owners of the locks that are selected or, where blockers are, to those who hold what is waited for.
     *
     * @param connection on which they are looked for, and signalled
     * @return the exit code
     */
    public int run(Connection connection, Selection selection) {
        if (!selection.isNarrowed() && !selection.isBlocking()) {
            throw Stop.usage((selection.isOfEverything()
                            ? "this would " + Targets.verb(signal) + " every session on the server"
                            : "the defaults in pglock.toml alone do not say whom this is meant for")
                    + ". Say which: a PID, --on TABLE, --filter, --blocking.");
        }
        LockQuery all = LockQuery.on(connection);
        Found found = selection.read(all);
        sayMissing(selection, found);
        if (found.isCut()) {
            console.say("only " + found.limit() + " of " + found.all().size()
                    + " rows are looked at; --limit none looks at all");
        }
        say(found.notes().stream());
        return run(
                connection,
                selection,
                targets(all, selection, found),
                !found.unanswered().isEmpty());
    }

    private Targets targets(LockQuery all, Selection selection, Found found) {
        if (selection.isBlocking()) {
            return Targets.blockers(signal, found.waits());
        }
        return Targets.owners(
                signal,
                found.locks(),
                selection.pids(),
                leader -> all.pid(leader).list().stream()
                        .map(lock -> lock.backend())
                        .filter(session -> session.pid() == leader)
                        .findFirst());
    }

    private void sayMissing(Selection selection, Found found) {
        Set<Integer> missing = new TreeSet<>(selection.pids());
        found.all().stream().map(row -> row.lock().backend()).forEach(session -> missing.remove(pid(session)));
        String why = selection.isBlocking() ? " waits for no such lock" : " has no such lock and waits for none";
        missing.forEach(pid -> console.say("pid " + pid + why));
    }

    private static int pid(Backend session) {
        return session.leaderPid().orElse(session.pid());
    }

    private int run(Connection connection, Selection selection, Targets targets, boolean unanswered) {
        say(targets.left().stream().map(Targets.Left::toString));
        if (targets.sessions().isEmpty()) {
            console.say("nothing to " + targets.verb() + (unanswered ? ", of what this role may see" : ""));
            if (unanswered) {
                return ExitCode.NOT_PERMITTED;
            }
            return targets.left().isEmpty() ? ExitCode.OK : ExitCode.USAGE;
        }
        List<String> shown = Sessions.lines(targets.sessions());
        shown.forEach(console::line);
        if (ask && !dryRun && console.asksPerson() && !console.showsPerson()) {
            shown.forEach(console.err()::println); // who decides has to see them, wherever the output goes
        }
        if (dryRun) {
            console.say("a dry run on " + server + ": nothing was sent");
            return ExitCode.OK;
        }
        if (ask && !isConfirmed(targets)) {
            return ExitCode.USAGE;
        }
        if (!ask) {
            console.line((signal == Signal.CANCEL ? "Cancelling " : "Terminating ") + all(targets) + ".");
            announced();
        }
        Targets meant =
                ask && targets.hasTimeless() ? stillMeant(LockQuery.on(connection), selection, targets) : targets;
        return report(meant.send(connection));
    }

    /** Meanwhile somebody has been thinking. */
    private Targets stillMeant(LockQuery all, Selection selection, Targets targets) {
        List<Backend> owners;
        try {
            owners = selection.read(all).all().stream()
                    .map(row -> row.lock().backend())
                    .toList();
        } catch (Stop tableIsGone) {
            owners = List.of();
        }
        Targets meant = targets.among(owners, "it has none of these locks any more");
        say(meant.left().stream().skip(targets.left().size()).map(Targets.Left::toString));
        return meant;
    }

    /** Whoever looks on sees who is hit, and where, before it is too late. */
    private void announced() {
        try {
            console.flush();
        } catch (Stop e) {
            throw e.and(". Nothing was sent.");
        }
    }

    /** {@code 2 sessions on db1:5432, database shop, as ann}. */
    private String all(Targets targets) {
        int count = targets.sessions().size();
        return count + (count == 1 ? " session" : " sessions") + " on " + server;
    }

    private boolean isConfirmed(Targets targets) {
        String question = (signal == Signal.CANCEL ? "Cancel " : "Terminate ") + all(targets) + "? (y/[n]) ";
        Optional<String> answer = console.ask(question);
        if (answer.isEmpty()) {
            console.err().println();
            console.say("nobody answered: nothing was sent. With -y it does not ask.");
            return false;
        }
        boolean yes = YES.contains(answer.get().strip().toLowerCase(Locale.ROOT));
        if (!yes) {
            console.say("nothing was sent");
        }
        return yes;
    }

    /** What was not permitted weighs most; otherwise it is a success if something was sent, or all are gone. */
    private int report(Collection<Signalled> done) {
        List<Signalled> sent = done.stream().filter(Signalled::sent).toList();
        sent.forEach(one -> console.line(Printable.of(one.detail())));
        say(done.stream().filter(one -> !one.sent()).map(Signalled::detail));
        if (done.stream().anyMatch(one -> one.outcome() == Outcome.NOT_PERMITTED)) {
            return ExitCode.NOT_PERMITTED;
        }
        boolean allGone = done.stream().allMatch(one -> one.outcome() == Outcome.GONE);
        return !sent.isEmpty() || allGone ? ExitCode.OK : ExitCode.USAGE;
    }

    private void say(Stream<String> sentences) {
        sentences.forEach(sentence -> console.say(sentence));
    }
}
