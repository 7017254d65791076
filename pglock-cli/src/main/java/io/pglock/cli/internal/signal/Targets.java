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
import io.pglock.internal.LockSignals;
import io.pglock.internal.PgSession;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.Collectors;

/**
 * Who is to be signalled, as they were seen, and who of those that were asked for cannot be. Immutable. Not API.
 *
 * @param signal what they are to be sent
 * @param sessions who is to be signalled, each once
 * @param left who is not
 * @param waits where they are to be signalled for being in the way: in whose; they are left alone if they are not any more
 * @param named the process ids of those that are meant whatever they do in their transaction: also when it has committed meanwhile, or
 *     does not say which it is
 */
public record Targets(
        Signal signal, List<Backend> sessions, List<Left> left, Optional<List<BlockedLock>> waits, Set<Integer> named) {

    private static final String CLIENT = "client backend";
    private static final Optional<String> PROTECTED =
            Optional.of("it is protected; to end it all the same, name its pid");
    private static final Optional<String> COMMITTED =
            Optional.of("it has committed and waits for a standby; to end it all the same, name its pid");
    private static final Optional<String> UNTRACKED = Optional.of(
            "its track_activities is off, so nobody can tell whether it still is the same transaction; to end"
                    + " it all the same, name its pid");

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
     * @param named the process ids that somebody has written: whose session that is, is meant in whatever transaction it cannot tell
     * @param leader the session with this process id
     */
    public static Targets owners(
            Signal signal,
            Collection<LockInfo> locks,
            Collection<Integer> named,
            IntFunction<Optional<Backend>> leader) {
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
        return sorted(
                signal,
                owners,
                Optional.empty(),
                Set.copyOf(named),
                owner -> named.contains(owner.pid()) ? Optional.empty() : uncertain(owner));
    }

    /** This one, seen before: as what it was then. */
    public static Targets of(Signal signal, Backend session) {
        Set<Integer> named = uncertain(session).isPresent() ? Set.of(session.pid()) : Set.of();
        return sorted(signal, Set.of(session), Optional.empty(), named, anybody -> Optional.empty());
    }

    /** Those who hold what these wait for; not those who are merely queued ahead. */
    public static Targets blockers(Signal signal, List<BlockedLock> waits) {
        Set<Backend> blockers = new LinkedHashSet<>();
        waits.forEach(wait -> wait.hardBlockers().forEach(blocker -> blockers.add(blocker.backend())));
        Set<String> protect = Set.copyOf(LockPolicy.defaults().protect());
        return sorted(
                signal,
                blockers,
                Optional.of(waits),
                Set.of(),
                blocker -> isProtected(blocker, protect) ? PROTECTED : Optional.empty());
    }

    private static Targets sorted(
            Signal signal,
            Set<Backend> all,
            Optional<List<BlockedLock>> waits,
            Set<Integer> named,
            Function<Backend, Optional<String>> spared) {
        List<Backend> sessions = new ArrayList<>();
        List<Left> left = new ArrayList<>();
        for (Backend session : all) {
            unreachable(session)
                    .or(() -> spared.apply(session))
                    .or(() -> idle(signal, session))
                    .ifPresentOrElse(why -> left.add(new Left(session, why)), () -> sessions.add(session));
        }
        return new Targets(signal, List.copyOf(sessions), List.copyOf(left), waits, named);
    }

    /** What is known before it is tried. What is not, the server says in the statement that would have sent the signal. */
    private static Optional<String> unreachable(Backend session) {
        if (session.isPreparedTransaction()) {
            return Optional.of("it has no session that could be signalled");
        }
        if (session.type().filter(type -> !type.equals(CLIENT)).isPresent()) {
            return Optional.of("it is not a client's session");
        }
        return Optional.empty();
    }

    private static Optional<String> idle(Signal signal, Backend session) {
        return signal == Signal.CANCEL
                        && session.state()
                                .filter(state -> state.startsWith("idle"))
                                .isPresent()
                ? Optional.of("it runs no statement that could be cancelled; to end its transaction, terminate it")
                : Optional.empty();
    }

    private static boolean isProtected(Backend session, Set<String> protect) {
        return session.application().filter(protect::contains).isPresent()
                || session.user().filter(protect::contains).isPresent();
    }

    /** Nobody can make sure that it is in the transaction in which it was seen, or that has committed already. */
    private static Optional<String> uncertain(Backend session) {
        return session.waitEvent().filter("IPC:SyncRep"::equals).isPresent()
                ? COMMITTED
                : session.state().filter("disabled"::equals).isPresent() ? UNTRACKED : Optional.empty();
    }

    /**
     * Whether there is one among them that is in no transaction: a session's own lock needs none. As far as a server can tell it is in
     * the same one for ever, so only its locks say whether it still is what it was.
     */
    public boolean hasTimeless() {
        return waits.isEmpty() && sessions.stream().anyMatch(Targets::isTimeless);
    }

    /**
     * The same without those in no transaction that are not among these.
     *
     * @param now who has the locks now
     * @param why what is said of the others
     */
    public Targets among(Collection<Backend> now, String why) {
        List<Backend> still = new ArrayList<>();
        List<Left> gone = new ArrayList<>(left);
        for (Backend session : sessions) {
            if (isTimeless(session) && now.stream().noneMatch(other -> isSame(other, session))) {
                gone.add(new Left(session, why));
            } else {
                still.add(session);
            }
        }
        return new Targets(signal, List.copyOf(still), List.copyOf(gone), waits, named);
    }

    private static boolean isTimeless(Backend session) {
        return session.xactStart().isEmpty();
    }

    private static boolean isSame(Backend one, Backend other) {
        return one.pid() == other.pid() && one.backendStart().equals(other.backendStart());
    }

    /** Sends it to exactly those who were seen, each only if it still is what it was then. */
    public List<Signalled> send(Connection connection) {
        LockQuery locks = LockQuery.on(connection);
        if (waits.isEmpty()) {
            Map<Boolean, List<Backend>> all =
                    sessions.stream().collect(Collectors.partitioningBy(session -> named.contains(session.pid())));
            List<Backend> meant = all.getOrDefault(true, List.of());
            List<Signalled> done =
                    new ArrayList<>(signal == Signal.CANCEL ? locks.cancel(meant) : locks.terminate(meant));
            done.addAll(LockSignals.toOwners(PgSession.of(connection), signal, all.getOrDefault(false, List.of())));
            return List.copyOf(done);
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
