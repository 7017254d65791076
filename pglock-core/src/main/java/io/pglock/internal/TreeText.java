// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.Backend;
import io.pglock.Blocker;
import io.pglock.LockInfo;
import io.pglock.LockTarget;
import io.pglock.LockTree;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/** A {@link LockTree} as text, in columns. For one use. Not API. */
public final class TreeText {

    /** How a session that waits for itself is marked. */
    public static final String DEADLOCK = "DEADLOCK";

    private static final String INDENT = "    ";
    private static final int SHOWN_QUERY_LENGTH = 60;
    private static final int SHOWN_OTHERS = 3;
    private static final int COLUMNS = 4;
    private static final int WIDEST_COLUMN = 70;

    /**
     * A session in a tree, in words.
     *
     * @param node which
     * @param branch what leads to it: spaces and {@code └─} or {@code └┄}
     * @param who its process id and name
     * @param what what it waits for, or is doing
     * @param why whom it blocks, or who is in its way
     * @param query its query, in quotes
     */
    public record Line(LockTree.Node node, String branch, String who, String what, String why, String query) {

        /** Its columns, from left to right. */
        public List<String> cells() {
            return List.of(branch + who, what, why, query);
        }
    }

    private final Function<LockTarget, String> words;
    private final List<Line> lines = new ArrayList<>();

    private TreeText(Function<LockTarget, String> words) {
        this.words = words;
    }

    public static String of(LockTree tree) {
        List<Line> lines = lines(tree, LockTarget::describe);
        String text = lines.isEmpty() ? "nobody waits for a lock\n" : align(lines);
        return text + tree.notes().stream().map(note -> note + "\n").collect(Collectors.joining());
    }

    /**
     * Each session in its line, in the order of the tree.
     *
     * @param words what is said of what is locked
     */
    public static List<Line> lines(LockTree tree, Function<LockTarget, String> words) {
        TreeText text = new TreeText(words);
        for (LockTree.Root root : tree.roots()) {
            String blocks = "blocks " + root.victims() + ", who " + (root.victims() == 1 ? "has" : "have") + " waited "
                    + Text.age(root.totalWait()) + " in all";
            text.add(root.node(), "", blocks);
        }
        return text.lines;
    }

    /** How wide the columns are; a longer cell sticks out. */
    public static int[] widths(List<Line> lines) {
        int[] widths = new int[COLUMNS];
        for (Line line : lines) {
            for (int column = 0; column < COLUMNS; column++) {
                widths[column] = Math.max(
                        widths[column],
                        Math.min(WIDEST_COLUMN, line.cells().get(column).length()));
            }
        }
        return widths;
    }

    private void add(LockTree.Node node, String indent, String blocks) {
        List<String> why = new ArrayList<>();
        if (!blocks.isEmpty()) {
            why.add(blocks);
        }
        node.behind().ifPresent(behind -> why.add(why(behind)));
        if (!node.alsoBehind().isEmpty()) {
            why.add((node.behind().isPresent() ? "also behind " : "behind ") + names(node.alsoBehind()));
        }
        if (node.deadlocked()) {
            why.add(DEADLOCK);
        }
        String branch =
                node.behind().map(behind -> behind.hard() ? "└─ " : "└┄ ").orElse("");
        lines.add(new Line(
                node,
                indent + branch,
                who(node.backend()),
                node.waitingFor().map(this::waits).orElseGet(() -> state(node.backend())),
                String.join(", ", why),
                query(node.backend())));
        node.waiters().forEach(waiter -> add(waiter, indent + INDENT, ""));
    }

    private static String who(Backend backend) {
        return backend.isPreparedTransaction()
                ? "prepared \"" + Text.printable(backend.preparedGid().orElse("?")) + "\""
                : "pid " + backend.pid()
                        + backend.application()
                                .filter(name -> !name.isBlank())
                                .or(backend::user)
                                .map(name -> " " + Text.printable(name))
                                .orElse("");
    }

    private String waits(LockInfo lock) {
        return "waits " + lock.waited().map(time -> Text.age(time) + " ").orElse("") + "for "
                + lock.mode().sql() + " on " + words.apply(lock.target());
    }

    private static String state(Backend backend) {
        if (backend.isPreparedTransaction()) {
            return "prepared"
                    + backend.xactAge().map(age -> " for " + Text.age(age)).orElse("");
        }
        return backend.state().or(backend::type).orElse("state hidden")
                + backend.stateAge().map(age -> " for " + Text.age(age)).orElse("");
    }

    private static String query(Backend backend) {
        return backend.query()
                .filter(query -> !query.isBlank())
                .map(query -> "\"" + Text.shorten(query, SHOWN_QUERY_LENGTH) + "\"")
                .orElse("");
    }

    private static String why(Blocker blocker) {
        if (!blocker.hard()) {
            return "queued behind";
        }
        return "held: " + blocker.modes();
    }

    private static String names(List<Blocker> others) {
        String shown = others.stream()
                .limit(SHOWN_OTHERS)
                .map(other -> other.backend().isPreparedTransaction()
                        ? who(other.backend())
                        : Integer.toString(other.backend().pid()))
                .collect(Collectors.joining(", "));
        int more = others.size() - SHOWN_OTHERS;
        return shown + (more > 0 ? " and " + more + " more" : "");
    }

    private static String align(List<Line> lines) {
        int[] widths = widths(lines);
        StringBuilder text = new StringBuilder();
        for (Line line : lines) {
            StringBuilder aligned = new StringBuilder();
            for (int column = 0; column < COLUMNS; column++) {
                String cell = line.cells().get(column);
                aligned.append(cell).append(" ".repeat(Math.max(0, widths[column] - cell.length()) + 2));
            }
            text.append(aligned.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }
}
