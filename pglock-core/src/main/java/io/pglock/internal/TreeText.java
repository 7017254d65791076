// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.Backend;
import io.pglock.Blocker;
import io.pglock.LockInfo;
import io.pglock.LockTree;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** A {@link LockTree} as text, in columns. Not API. */
public final class TreeText {

    private static final String INDENT = "    ";
    private static final int SHOWN_QUERY_LENGTH = 60;
    private static final int SHOWN_OTHERS = 3;
    private static final int COLUMNS = 4;
    private static final int WIDEST_COLUMN = 70;

    private TreeText() {}

    public static String of(LockTree tree) {
        List<List<String>> lines = new ArrayList<>();
        for (LockTree.Root root : tree.roots()) {
            String blocks = "blocks " + root.victims() + ", who " + (root.victims() == 1 ? "has" : "have") + " waited "
                    + Text.age(root.totalWait()) + " in all";
            add(lines, root.node(), "", blocks);
        }
        String text = lines.isEmpty() ? "nobody waits for a lock\n" : align(lines);
        return text + tree.notes().stream().map(note -> note + "\n").collect(Collectors.joining());
    }

    private static void add(List<List<String>> lines, LockTree.Node node, String indent, String blocks) {
        List<String> why = new ArrayList<>();
        if (!blocks.isEmpty()) {
            why.add(blocks);
        }
        node.behind().ifPresent(behind -> why.add(why(behind)));
        if (!node.alsoBehind().isEmpty()) {
            why.add((node.behind().isPresent() ? "also behind " : "behind ") + names(node.alsoBehind()));
        }
        if (node.deadlocked()) {
            why.add("DEADLOCK");
        }
        String branch =
                node.behind().map(behind -> behind.hard() ? "└─ " : "└┄ ").orElse("");
        lines.add(List.of(
                indent + branch + who(node.backend()),
                node.waitingFor().map(TreeText::waits).orElseGet(() -> state(node.backend())),
                String.join(", ", why),
                query(node.backend())));
        node.waiters().forEach(waiter -> add(lines, waiter, indent + INDENT, ""));
    }

    private static String who(Backend backend) {
        return backend.isPreparedTransaction()
                ? "prepared \"" + backend.preparedGid().orElse("?") + "\""
                : "pid " + backend.pid()
                        + backend.application()
                                .filter(name -> !name.isBlank())
                                .or(backend::user)
                                .map(name -> " " + name)
                                .orElse("");
    }

    private static String waits(LockInfo lock) {
        return "waits " + lock.waited().map(time -> Text.age(time) + " ").orElse("") + "for "
                + lock.mode().sql() + " on " + lock.target().describe();
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

    private static String align(List<List<String>> lines) {
        int[] widths = new int[COLUMNS];
        for (List<String> line : lines) {
            for (int column = 0; column < COLUMNS; column++) {
                widths[column] = Math.max(
                        widths[column], Math.min(WIDEST_COLUMN, line.get(column).length()));
            }
        }
        StringBuilder text = new StringBuilder();
        for (List<String> line : lines) {
            StringBuilder aligned = new StringBuilder();
            for (int column = 0; column < COLUMNS; column++) {
                String cell = line.get(column);
                aligned.append(cell).append(" ".repeat(Math.max(0, widths[column] - cell.length()) + 2));
            }
            text.append(aligned.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }
}
