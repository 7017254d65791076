// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.Backend;
import io.pglock.BlockedLock;
import io.pglock.LockInfo;
import io.pglock.LockQuery;
import io.pglock.Signal;
import io.pglock.cli.internal.server.ServerOptions;
import io.pglock.cli.internal.signal.SignalOptions;
import io.pglock.cli.internal.signal.Signalling;
import io.pglock.cli.internal.signal.Targets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What {@code pglock cancel} and {@code pglock terminate} have in common: all but the signal. */
abstract class SignalCommand implements Callable<Integer> {

    private final Console console;
    private final Signal signal;

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Mixin
    private SignalOptions options = new SignalOptions();

    @Parameters(paramLabel = "PID", description = "These sessions; with --blocking, those in their way.")
    private List<Integer> pids = new ArrayList<>();

    @Option(names = "--on", paramLabel = "TABLE", description = "Those with locks on this table.")
    private List<String> on = new ArrayList<>();

    @Option(names = "--blocking", description = "Not those, but who is in their way: the holders of what they wait for.")
    private boolean blocking;

    SignalCommand(Console console, Signal signal) {
        this.console = console;
        this.signal = signal;
    }

    @Override
    public Integer call() throws SQLException {
        if (pids.isEmpty() && on.isEmpty() && !blocking) {
            throw Stop.usage("this would " + verb() + " every session on the server. Say which: a PID, --on TABLE, --blocking.");
        }
        try (Connection connection = server.server().connect()) {
            LockQuery all = LockQuery.on(connection);
            LockQuery locks = pids.isEmpty() ? all : all.pid(pids.toArray(Integer[]::new));
            locks = on.isEmpty() ? locks : locks.on(on.toArray(String[]::new));
            return new Signalling(console, options).run(all, targets(all, locks));
        }
    }

    private Targets targets(LockQuery all, LockQuery selected) {
        if (blocking) {
            List<BlockedLock> waits = selected.blocked();
            sayMissing(waits.stream().map(wait -> wait.waiting().backend()).toList(), "waits for no lock");
            return Targets.blockers(signal, waits);
        }
        List<LockInfo> locks = selected.list();
        sayMissing(locks.stream().map(LockInfo::backend).toList(), "has no lock and waits for none");
        return Targets.owners(
                signal,
                locks,
                leader -> all.pid(leader).list().stream()
                        .map(LockInfo::backend)
                        .filter(session -> session.pid() == leader)
                        .findFirst());
    }

    private void sayMissing(List<Backend> found, String why) {
        Set<Integer> missing = new HashSet<>(pids);
        for (Backend session : found) {
            missing.remove(session.leaderPid().orElse(session.pid()));
        }
        missing.stream().sorted().forEach(pid -> console.say("pid " + pid + " " + why));
    }

    private String verb() {
        return signal == Signal.CANCEL ? "cancel" : "terminate";
    }
}
