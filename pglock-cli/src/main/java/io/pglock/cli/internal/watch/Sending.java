// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.watch;

import io.pglock.LockQuery;
import io.pglock.LockTree;
import io.pglock.Signal;
import io.pglock.Signalled;
import io.pglock.cli.internal.select.Selection;
import io.pglock.cli.internal.signal.Targets;
import java.sql.Connection;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;

/** A signal on its way, until it is known what came of it. Thread-safe. */
final class Sending {

    private final Targets targets;
    private final AtomicBoolean begun = new AtomicBoolean();
    private final CompletableFuture<String> outcome = new CompletableFuture<>();

    Sending(Targets targets) {
        this.targets = targets;
    }

    /**
     * Does nothing once it was given up.
     *
     * @param selection of whose trees it is one
     */
    void send(Connection connection, Selection selection) {
        if (begun.getAndSet(true)) {
            return;
        }
        Targets meant = targets.hasTimeless() ? stillThere(selection.tree(LockQuery.on(connection))) : targets;
        outcome.complete(
                meant.sessions().isEmpty()
                        ? meant.left().get(0).toString()
                        : meant.send(connection).stream().map(Signalled::detail).collect(Collectors.joining(" ")));
    }

    /** What was on the screen may be of long ago, where it paused. */
    private Targets stillThere(LockTree now) {
        return targets.among(now.stream().map(LockTree.Node::backend).toList(), "it is in nobody's way any more");
    }

    /** What has not been sent is not sent any more, and of what has been nothing more is waited for. */
    void giveUp() {
        String who = targets.sessions().get(0).describe();
        if (begun.getAndSet(true)) {
            outcome.complete("It is not known whether "
                    + (targets.signal() == Signal.CANCEL
                            ? "the statement of " + who + " was cancelled"
                            : who + " was terminated")
                    + ": the server has not said so.");
        } else {
            outcome.complete("Nothing was sent to " + who + ".");
        }
    }

    /** Empty as long as it is not known. */
    Optional<String> outcome() {
        return outcome.isDone() ? Optional.of(outcome.join()) : Optional.empty();
    }
}
