// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.Backend;
import io.pglock.Blocker;
import io.pglock.LockInfo;
import io.pglock.LockTree;
import io.pglock.internal.LockGraph.Wait;
import io.pglock.internal.LockGraph.Who;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Makes a {@link LockTree} of a {@link LockGraph}. In a queue everybody is blocked by everybody ahead, so paths are as many as
 * subsets: they are never followed one by one, each session is visited once. For one use. Not API.
 */
public final class LockForest {

    private static final Comparator<LockTree.Root> WORST_FIRST = Comparator.comparingInt(LockTree.Root::victims)
            .thenComparing(LockTree.Root::totalWait)
            .reversed()
            .thenComparing(root -> root.node().backend().pid());

    private final Map<Who, Backend> sessions = new TreeMap<>();
    private final Map<Who, LockInfo> waiting = new TreeMap<>();
    private final Map<Who, Map<Who, Blocker>> blockers = new TreeMap<>();
    private final Map<Who, Set<Who>> firstInLine = new HashMap<>();
    private final Map<Who, Set<Who>> waiters = new HashMap<>();
    private final Map<Who, Who> parents = new HashMap<>();
    private final Map<Who, List<Who>> children = new HashMap<>();
    private final Set<Who> deadlocked = new HashSet<>();
    private final Set<Who> matching = new HashSet<>();

    private LockForest() {}

    /** The trees in which a lock that is waited for, or that stands in the way, matches. */
    public static LockTree of(LockGraph graph, Predicate<LockInfo> filter) {
        LockForest forest = new LockForest();
        graph.waits().forEach(wait -> forest.add(wait, filter));
        forest.blockers.forEach((waiter, all) -> forest.choose(all, forest.firstInLine.getOrDefault(waiter, Set.of()))
                .ifPresent(who -> forest.parents.put(waiter, who)));
        forest.cutCycles();
        forest.markDeadlocks();
        forest.parents.forEach((child, parent) -> forest.children
                .computeIfAbsent(parent, who -> new ArrayList<>())
                .add(child));
        List<LockTree.Root> roots = forest.sessions.keySet().stream()
                .filter(who -> !forest.parents.containsKey(who))
                .filter(forest::matchesBelow)
                .map(forest::root)
                .sorted(WORST_FIRST)
                .toList();
        return new LockTree(roots, graph.notes());
    }

    private void add(Wait wait, Predicate<LockInfo> filter) {
        Who waiter = wait.waiter();
        sessions.put(waiter, wait.session());
        waiting.merge(
                waiter,
                wait.waiting(),
                (one, other) -> since(Optional.of(one)).isAfter(since(Optional.of(other))) ? other : one);
        firstInLine.computeIfAbsent(waiter, who -> new HashSet<>()).addAll(wait.firstInLine());
        Map<Who, Blocker> ofWaiter = blockers.computeIfAbsent(waiter, who -> new TreeMap<>());
        if (filter.test(wait.waiting())) {
            matching.add(waiter);
        }
        wait.blockers().forEach((who, blocker) -> {
            sessions.put(who, blocker.backend());
            ofWaiter.merge(who, blocker, (one, other) -> one.hard() ? one : other);
            waiters.computeIfAbsent(who, none -> new LinkedHashSet<>()).add(waiter);
            if (blocker.holds().stream().anyMatch(filter)) {
                matching.add(who);
            }
        });
    }

    private static Instant since(Optional<LockInfo> lock) {
        return lock.flatMap(LockInfo::waitStart).orElse(Instant.MAX);
    }

    private Optional<LockInfo> waitOf(Who who) {
        return Optional.ofNullable(waiting.get(who));
    }

    /** The oldest transaction that holds a conflicting lock; where nobody does, the first in line for the row, or the last one queued ahead. */
    private Optional<Who> choose(Map<Who, Blocker> blockers, Set<Who> firstInLine) {
        Comparator<Map.Entry<Who, Blocker>> byTransaction = Comparator.comparing(
                blocker -> blocker.getValue().backend().xactStart().orElse(Instant.MIN));
        Comparator<Map.Entry<Who, Blocker>> byWait = Comparator.comparing(blocker -> since(waitOf(blocker.getKey())));
        return blockers.entrySet().stream()
                .filter(blocker -> blocker.getValue().hard())
                .min(byTransaction.thenComparing(Map.Entry.comparingByKey()))
                .or(() -> blockers.entrySet().stream()
                        .filter(blocker -> firstInLine.contains(blocker.getKey()))
                        .findFirst())
                .or(() -> blockers.entrySet().stream().max(byWait.thenComparing(Map.Entry.comparingByKey())))
                .map(Map.Entry::getKey);
    }

    /** Going up from anywhere must end: where it comes around, the lowest of the circle becomes a root. */
    private void cutCycles() {
        Set<Who> settled = new HashSet<>();
        for (Who start : List.copyOf(blockers.keySet())) {
            List<Who> path = new ArrayList<>();
            Set<Who> onPath = new HashSet<>();
            Who at = start;
            while (!settled.contains(at) && onPath.add(at)) {
                path.add(at);
                Who up = parents.get(at);
                if (up == null) {
                    break;
                }
                at = up;
            }
            if (!settled.contains(at) && parents.containsKey(at)) {
                path.subList(path.indexOf(at), path.size()).stream()
                        .min(Comparator.naturalOrder())
                        .ifPresent(parents::remove);
            }
            settled.addAll(path);
        }
    }

    /** Whoever waits for nobody is taken away, again and again; who is left waits for a circle or is in one. */
    private void markDeadlocks() {
        Map<Who, Integer> waitsFor = new HashMap<>();
        Deque<Who> free = new ArrayDeque<>();
        for (Who who : sessions.keySet()) {
            int count = blockers.getOrDefault(who, Map.of()).size();
            waitsFor.put(who, count);
            if (count == 0) {
                free.add(who);
            }
        }
        while (!free.isEmpty()) {
            Who gone = free.remove();
            waitsFor.remove(gone);
            for (Who waiter : waiters.getOrDefault(gone, Set.of())) {
                if (waitsFor.merge(waiter, -1, Integer::sum) == 0) {
                    free.add(waiter);
                }
            }
        }
        waitsFor.keySet().stream().filter(who -> victims(who).contains(who)).forEach(deadlocked::add);
    }

    /** Everybody who waits for it, directly or through others; itself only in a deadlock. */
    private Set<Who> victims(Who root) {
        Set<Who> reached = new HashSet<>();
        Deque<Who> next = new ArrayDeque<>(List.of(root));
        while (!next.isEmpty()) {
            for (Who waiter : waiters.getOrDefault(next.remove(), Set.of())) {
                if (reached.add(waiter)) {
                    next.add(waiter);
                }
            }
        }
        return reached;
    }

    private Backend session(Who who) {
        return Objects.requireNonNull(sessions.get(who), "everybody in the graph has a session");
    }

    private Collection<Who> childrenOf(Who who) {
        return children.getOrDefault(who, List.of());
    }

    private boolean matchesBelow(Who who) {
        return matching.contains(who) || childrenOf(who).stream().anyMatch(this::matchesBelow);
    }

    private LockTree.Root root(Who who) {
        Set<Who> victims = victims(who);
        victims.remove(who);
        Duration total = victims.stream()
                .flatMap(victim -> waitOf(victim).flatMap(LockInfo::waited).stream())
                .reduce(Duration.ZERO, Duration::plus);
        return new LockTree.Root(node(who), victims.size(), total);
    }

    private LockTree.Node node(Who who) {
        Who parent = parents.get(who);
        Map<Who, Blocker> of = blockers.getOrDefault(who, Map.of());
        Comparator<Who> longestFirst = Comparator.comparing(child -> since(waitOf(child)));
        return new LockTree.Node(
                session(who),
                waitOf(who),
                parent == null ? Optional.empty() : Optional.ofNullable(of.get(parent)),
                of.entrySet().stream()
                        .filter(blocker -> !blocker.getKey().equals(parent))
                        .map(Map.Entry::getValue)
                        .toList(),
                deadlocked.contains(who),
                childrenOf(who).stream()
                        .sorted(longestFirst.thenComparing(Comparator.naturalOrder()))
                        .map(this::node)
                        .toList());
    }
}
