// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.signal;

import io.pglock.Backend;
import io.pglock.BlockedLock;
import io.pglock.Blocker;
import io.pglock.LockInfo;
import io.pglock.LockPolicy;
import io.pglock.LockQuery;
import io.pglock.Signal;
import io.pglock.Signalled;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;

/**
 * Who is to be signalled, as they were seen, and who of those that were asked for cannot be. Immutable. Not API.
 *
 * @param signal what they are to be sent
 * @param sessions who is to be signalled, each once
 * @param left who is not
 * @param waits where they are to be signalled for being in the way: in whose; they are left alone if they are not any more
 */
public record Targets(Signal signal, List<Backend> sessions, List<Left> left, Optional<List<BlockedLock>> waits) {

    private static final String CLIENT = "client backend";

    /** Somebody to whom nothing will be sent. */
    public record Left(Backend backend, String why) {

        @Override
        public String toString() {
            return backend.describe() + ": left alone, " + why;
        }
    }

    /**
     * The owners of these locks, of one reading. For a parallel worker it is the session for which it works, read only once and only
     * if it has none of the locks itself: read again, it would be somebody else, in whatever it does by then.
     *
     * @param leader the session with this process id
     */
    public static Targets owners(Signal signal, Collection<LockInfo> locks, IntFunction<Optional<Backend>> leader) {
        Map<Integer, Backend> sessions = new HashMap<>();
        locks.forEach(lock -> sessions.putIfAbsent(lock.backend().pid(), lock.backend()));
        Set<Backend> owners = new LinkedHashSet<>();
        for (LockInfo lock : locks) {
            Backend owner = lock.backend();
            owners.add(owner.leaderPid()
                    .map(pid -> sessions.computeIfAbsent(
                            pid, unseen -> leader.apply(unseen).orElse(owner)))
                    .orElse(owner));
        }
        return sorted(signal, owners, Optional.empty(), Set.of());
    }

    /** These, seen before. */
    public static Targets of(Signal signal, Backend session) {
        return sorted(signal, Set.of(session), Optional.empty(), Set.of());
    }

    /** Those who hold what these wait for; not those who are merely queued ahead. */
    public static Targets blockers(Signal signal, List<BlockedLock> waits) {
        Set<Backend> blockers = new LinkedHashSet<>();
        waits.forEach(wait -> wait.hardBlockers().forEach(blocker -> blockers.add(blocker.backend())));
        return sorted(
                signal,
                blockers,
                Optional.of(waits),
                Set.copyOf(LockPolicy.defaults().protect()));
    }

    private static Targets sorted(
            Signal signal, Set<Backend> all, Optional<List<BlockedLock>> waits, Set<String> protect) {
        List<Backend> sessions = new ArrayList<>();
        List<Left> left = new ArrayList<>();
        for (Backend session : all) {
            reason(signal, session, protect)
                    .ifPresentOrElse(why -> left.add(new Left(session, why)), () -> sessions.add(session));
        }
        return new Targets(signal, List.copyOf(sessions), List.copyOf(left), waits);
    }

    /** What is known before it is tried. What is not, the server says in the statement that would have sent the signal. */
    private static Optional<String> reason(Signal signal, Backend session, Set<String> protect) {
        if (session.isPreparedTransaction()) {
            return Optional.of("it has no session that could be signalled");
        }
        if (session.type().filter(type -> !type.equals(CLIENT)).isPresent()) {
            return Optional.of("it is not a client's session");
        }
        if (session.application().filter(protect::contains).isPresent()
                || session.user().filter(protect::contains).isPresent()) {
            return Optional.of("it is protected; to end it all the same, name its pid");
        }
        if (signal == Signal.CANCEL
                && session.state().filter(state -> state.startsWith("idle")).isPresent()) {
            return Optional.of("it runs no statement that could be cancelled; to end its transaction, terminate it");
        }
        return Optional.empty();
    }

    /** Sends it to exactly those who were seen, each only if it still is what it was then. */
    public List<Signalled> send(LockQuery locks) {
        if (waits.isEmpty()) {
            return signal == Signal.CANCEL ? locks.cancel(sessions) : locks.terminate(sessions);
        }
        List<BlockedLock> meant = waits.get().stream().map(this::behindThese).toList();
        return signal == Signal.CANCEL ? locks.cancelBlockers(meant) : locks.terminateBlockers(meant);
    }

    private BlockedLock behindThese(BlockedLock wait) {
        List<Blocker> meant = wait.blockers().stream()
                .filter(blocker -> sessions.contains(blocker.backend()))
                .toList();
        return new BlockedLock(wait.waiting(), meant);
    }

    /** {@code cancel} or {@code terminate}. */
    String verb() {
        return verb(signal);
    }

    static String verb(Signal signal) {
        return signal == Signal.CANCEL ? "cancel" : "terminate";
    }
}
