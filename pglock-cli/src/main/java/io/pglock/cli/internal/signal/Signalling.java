// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.signal;

import io.pglock.LockQuery;
import io.pglock.Signalled;
import io.pglock.Signalled.Outcome;
import io.pglock.cli.internal.Console;
import io.pglock.cli.internal.ExitCode;
import io.pglock.cli.internal.view.Printable;
import io.pglock.cli.internal.view.Sessions;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Shows who will be hit, asks, signals exactly those, and says what came of it. Not API. */
public final class Signalling {

    private static final Set<String> YES = Set.of("y", "yes");

    private final Console console;
    private final SignalOptions options;

    public Signalling(Console console, SignalOptions options) {
        this.console = console;
        this.options = options;
    }

    /** @return the exit code */
    public int run(LockQuery locks, Targets targets) {
        targets.left().forEach(left -> console.say(Printable.of(left.toString())));
        if (targets.sessions().isEmpty()) {
            console.say("nothing to " + targets.verb());
            return targets.left().isEmpty() ? ExitCode.OK : ExitCode.USAGE;
        }
        Sessions.lines(targets.sessions()).forEach(console::line);
        if (options.dryRun) {
            console.say("a dry run: nothing was sent");
            return ExitCode.OK;
        }
        if (!options.yes && !confirmed(targets)) {
            return ExitCode.USAGE;
        }
        return report(targets.send(locks));
    }

    private boolean confirmed(Targets targets) {
        int count = targets.sessions().size();
        String verb = targets.verb();
        String question = verb.substring(0, 1).toUpperCase(Locale.ROOT) + verb.substring(1) + " " + count
                + (count == 1 ? " session" : " sessions") + "? (y/[n]) ";
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

    /** What was not permitted weighs most; otherwise it is a success if one was sent, or all are gone. */
    private int report(List<Signalled> done) {
        for (Signalled one : done) {
            String detail = Printable.of(one.detail());
            if (one.sent()) {
                console.line(detail);
            } else {
                console.say(detail);
            }
        }
        if (done.stream().anyMatch(one -> one.outcome() == Outcome.NOT_PERMITTED)) {
            return ExitCode.NOT_PERMITTED;
        }
        boolean anySent = done.stream().anyMatch(Signalled::sent);
        boolean allGone = done.stream().allMatch(one -> one.outcome() == Outcome.GONE);
        return anySent || allGone ? ExitCode.OK : ExitCode.USAGE;
    }
}
