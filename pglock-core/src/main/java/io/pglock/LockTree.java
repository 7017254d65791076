// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.TreeText;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Who waits for whom, as a forest: at the top of each tree somebody who waits for nobody, and below everybody who waits for it,
 * directly or through others. Every session appears once, below one of those for whom it waits: the oldest transaction that
 * holds a conflicting lock, or where nobody does the last one queued ahead (for a row, the first); the others are in {@link
 * Node#alsoBehind()}. A deadlock has no top, so its session with the lowest pid is taken. Immutable and thread-safe.
 *
 * <p>{@code toString()} is for people ({@code └─} a lock that is held, {@code └┄} merely queued behind):
 *
 * {@snippet lang=text :
 * pid 13188 holder         idle in transaction for 42s              blocks 3, who have waited 2.4s in all   "select * from t"
 *     └─ pid 13221 flyway  waits 1.2s for ACCESS EXCLUSIVE on t     held: ACCESS SHARE                      "alter table t add x int"
 *         └┄ pid 13228 web waits 0.6s for ROW EXCLUSIVE on t        queued behind                           "update t set id = 1"
 *         └┄ pid 13229 web waits 0.6s for ACCESS SHARE on t         queued behind                           "select * from t"
 * }
 *
 * @param roots the trees, the one with the most victims first
 * @param notes what could not be seen, and why
 */
public record LockTree(List<Root> roots, List<String> notes) {

    /** Copies the lists. */
    public LockTree {
        roots = List.copyOf(roots);
        notes = List.copyOf(notes);
    }

    /**
     * A tree: the session that everybody in it waits for in the end.
     *
     * @param node its top
     * @param victims how many sessions wait for it, directly or through others; who waits for two roots counts for both
     * @param totalWait how long they have waited, added up; without those of whom it is not known
     */
    public record Root(Node node, int victims, Duration totalWait) {}

    /**
     * A session, or a prepared transaction, in a tree.
     *
     * @param backend who it is
     * @param waitingFor the lock that it waits for
     * @param behind below whom it is shown, and why
     * @param alsoBehind for whom it waits besides
     * @param deadlocked whether it waits, through others, for itself
     * @param waiters who is shown below it, the longest wait first
     */
    public record Node(
            Backend backend,
            Optional<LockInfo> waitingFor,
            Optional<Blocker> behind,
            List<Blocker> alsoBehind,
            boolean deadlocked,
            List<Node> waiters) {

        /** Copies the lists. */
        public Node {
            alsoBehind = List.copyOf(alsoBehind);
            waiters = List.copyOf(waiters);
        }

        /** This node and all below it, each before those below it. */
        public Stream<Node> stream() {
            return Stream.concat(Stream.of(this), waiters.stream().flatMap(Node::stream));
        }
    }

    /** Whether nobody waits. */
    public boolean isEmpty() {
        return roots.isEmpty();
    }

    /** Every session in it, once. */
    public Stream<Node> stream() {
        return roots.stream().flatMap(root -> root.node().stream());
    }

    /** The forest as a text of several lines, the notes last; {@code nobody waits for a lock} when it is empty. */
    @Override
    public String toString() {
        return TreeText.of(this);
    }
}
