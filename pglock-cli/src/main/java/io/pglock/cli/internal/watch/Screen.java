// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.watch;

import io.pglock.Backend;
import io.pglock.LockTree;
import io.pglock.Signal;
import io.pglock.cli.internal.Printable;
import io.pglock.cli.internal.signal.Targets;
import io.pglock.cli.internal.view.TargetNames;
import io.pglock.cli.internal.view.TreeView;
import io.pglock.internal.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What is chosen, opened, typed and asked on the screen, and what the keys make of it. For one thread. */
final class Screen {

    private static final int PAGE = 10;
    private static final int CHARACTER_ESCAPE = 27;
    private static final int CHARACTER_DELETE = 127;
    private static final int CHARACTER_BACKSPACE = 8;
    private static final int CHARACTER_KILL = 21;

    private final Lookout lookout;
    private final TargetNames names;
    private final Sparkline waiting = new Sparkline();

    private Optional<Sight> sight = Optional.empty();
    private List<TreeView.Row> rows = List.of();
    private Optional<Sight.Id> chosen = Optional.empty();
    private Optional<Sight.Id> gone = Optional.empty();
    private int index;
    private Sort sort = Sort.VICTIMS;
    private String filter = "";
    private boolean typing;
    private boolean help;
    private boolean details;
    private int detailsFrom;
    private Optional<Targets> asked = Optional.empty();
    private String message = "";
    private final List<Sending> sent = new ArrayList<>();
    private final List<String> outcomes = new ArrayList<>();
    private boolean over;

    Screen(Lookout lookout, TargetNames names) {
        this.lookout = lookout;
        this.names = names;
    }

    // ---- what is seen -----------------------------------------------------------------------------------------------

    /** Takes what was seen last. @return whether it is new */
    boolean look() {
        settle();
        Optional<Sight> latest = lookout.latest();
        if (latest.equals(sight)) {
            return false;
        }
        sight = latest;
        latest.ifPresent(seen -> waiting.add(seen.waiting()));
        Optional<Sight.Id> before = chosen;
        arrange();
        if (before.isPresent() && !before.equals(chosen) && gone.isEmpty()) {
            gone = before;
        }
        return true;
    }

    /** Tells what came of what was sent, as soon as that is known. */
    private void settle() {
        for (Sending sending : List.copyOf(sent)) {
            sending.outcome().ifPresent(outcome -> {
                sent.remove(sending);
                outcomes.add(outcome);
                message = String.join(" ", outcomes);
            });
        }
    }

    /** Whether it is not known yet what came of a signal. */
    boolean isSending() {
        settle();
        return !sent.isEmpty();
    }

    /** Tells why it is not over yet. */
    void waitForOutcome() {
        message = "Waiting for what comes of it; ctrl-c leaves at once.";
    }

    /** What came of the signals since the last key, which nobody can have read; what is on its way is given up. */
    List<String> lastWords() {
        sent.forEach(Sending::giveUp);
        settle();
        return List.copyOf(outcomes);
    }

    /** The trees that are asked for, in order; whoever is chosen stays so, or the next one in its place. */
    private void arrange() {
        rows = sight.map(seen -> TreeView.rows(arranged(seen.tree()), names)).orElse(List.of());
        int found = -1;
        for (int i = 0; i < rows.size(); i++) {
            if (chosen.equals(Optional.of(id(i)))) {
                found = i;
            }
        }
        choose(found < 0 ? index : found);
    }

    private LockTree arranged(LockTree tree) {
        List<LockTree.Root> roots = tree.roots().stream()
                .filter(root -> filter.isEmpty()
                        || TreeView.rows(new LockTree(List.of(root), List.of()), names).stream()
                                .anyMatch(row ->
                                        row.text().toLowerCase(Locale.ROOT).contains(filter.toLowerCase(Locale.ROOT))))
                .sorted(sort.order())
                .toList();
        return new LockTree(roots, tree.notes());
    }

    private Sight.Id id(int row) {
        return Sight.Id.of(rows.get(row).node().backend());
    }

    private void choose(int row) {
        index = Math.max(0, Math.min(row, rows.size() - 1));
        Optional<Sight.Id> before = chosen;
        chosen = rows.isEmpty() ? Optional.empty() : Optional.of(id(index));
        if (!chosen.equals(before)) {
            detailsFrom = 0;
        }
        lookout.detailsOf(details ? chosen.map(Sight.Id::pid) : Optional.empty());
    }

    Optional<Sight> sight() {
        return sight;
    }

    Sparkline waiting() {
        return waiting;
    }

    List<TreeView.Row> rows() {
        return rows;
    }

    int index() {
        return index;
    }

    /** What is said where there is none. */
    String nobody() {
        return lookout.nobody();
    }

    Sort sort() {
        return sort;
    }

    String filter() {
        return filter;
    }

    boolean isTyping() {
        return typing;
    }

    boolean isHelp() {
        return help;
    }

    boolean isPaused() {
        return lookout.isPaused();
    }

    String message() {
        return message;
    }

    boolean isOver() {
        return over;
    }

    /** The session that is opened, all of it in lines of this width; empty where none is. */
    List<String> details(int width) {
        if (!details || rows.isEmpty()) {
            return List.of();
        }
        LockTree.Node node = rows.get(index).node();
        List<String> lines =
                Details.of(node, sight.map(seen -> seen.locksOf(node.backend())).orElse(List.of()), names, width);
        detailsFrom = Math.max(0, Math.min(detailsFrom, lines.size() - 1));
        return lines.subList(detailsFrom, lines.size());
    }

    /** Who is to be signalled, and what for an answer is waited for. */
    Optional<Targets> asked() {
        return asked;
    }

    // ---- what keys do -----------------------------------------------------------------------------------------------

    /** Whether what is typed is text, not commands. */
    boolean readsText() {
        return typing || asked.isPresent();
    }

    void type(int character) {
        asked.ifPresentOrElse(targets -> answer(targets, character), () -> typeFilter(character));
    }

    /** Anything but yes is a no. */
    private void answer(Targets targets, int character) {
        asked = Optional.empty();
        if (character != 'y' && character != 'Y') {
            message = "Nothing was sent.";
            return;
        }
        message = "...";
        Sending sending = new Sending(targets);
        sent.add(sending);
        lookout.signal(sending);
    }

    private void typeFilter(int character) {
        switch (character) {
            case '\r', '\n' -> typing = false;
            case CHARACTER_ESCAPE -> {
                typing = false;
                filter = "";
            }
            case CHARACTER_DELETE, CHARACTER_BACKSPACE ->
                filter = filter.isEmpty() ? "" : filter.substring(0, filter.offsetByCodePoints(filter.length(), -1));
            case CHARACTER_KILL -> filter = "";
            default -> filter += Character.isISOControl(character) ? "" : Character.toString(character);
        }
        arrange();
    }

    void act(@Nullable Action action) {
        if (action != Action.QUIT) {
            outcomes.clear();
        }
        boolean wasHelp = help;
        help = false;
        if (action == null || action == Action.NONE) {
            return; // what is said stays: the yes to a question that was not asked is no key either
        }
        message = "";
        switch (action) {
            case UP -> move(index - 1);
            case DOWN -> move(index + 1);
            case PAGE_UP -> page(-PAGE);
            case PAGE_DOWN -> page(PAGE);
            case FIRST -> move(0);
            case LAST -> move(rows.size() - 1);
            case SORT -> {
                sort = sort.next();
                arrange();
            }
            case FILTER -> typing = true;
            case DETAILS -> open(!details);
            case CANCEL -> ask(Signal.CANCEL);
            case TERMINATE -> ask(Signal.TERMINATE);
            case PAUSE -> lookout.pause(!lookout.isPaused());
            case HELP -> help = !wasHelp;
            case BACK -> back(wasHelp);
            case QUIT -> over = true;
            default -> throw new IllegalStateException(action.name());
        }
    }

    /** What was opened last is closed first. */
    private void back(boolean wasHelp) {
        if (wasHelp) {
            return;
        }
        if (details) {
            open(false);
        } else {
            filter = "";
            arrange();
        }
    }

    private void open(boolean open) {
        details = open;
        choose(index);
    }

    private void page(int lines) {
        if (details) {
            detailsFrom = Math.max(0, detailsFrom + lines);
        } else {
            move(index + lines);
        }
    }

    private void move(int row) {
        gone = Optional.empty();
        choose(row);
    }

    /**
     * About the session as it is seen now, unless the key was for another one that has gone, and that nobody has been told yet. If it
     * is another one, or in another transaction, when the answer comes, nothing is sent.
     */
    private void ask(Signal signal) {
        Optional<Sight.Id> meant = gone;
        gone = Optional.empty();
        if (meant.isPresent()) {
            message = meant.get() + ", which was selected, is not here any more. Nothing was sent.";
            return;
        }
        if (rows.isEmpty()) {
            return;
        }
        Targets targets = Targets.of(signal, rows.get(index).node().backend());
        if (targets.sessions().isEmpty()) {
            message = targets.left().get(0).toString();
        } else {
            asked = Optional.of(targets);
        }
    }

    /** {@code Terminate pid 4711 (web, ...), role app, transaction open for 3m? y/[n]}. */
    static String question(Targets targets) {
        Backend session = targets.sessions().get(0);
        return Printable.of((targets.signal() == Signal.CANCEL ? "Cancel the statement of " : "Terminate ")
                + session.describe()
                + session.user().map(user -> ", role " + user).orElse("")
                + session.xactAge()
                        .map(age -> ", transaction open for " + Text.age(age))
                        .orElse("")
                + "? y/[n]");
    }
}
