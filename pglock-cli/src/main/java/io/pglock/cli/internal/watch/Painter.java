// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.watch;

import io.pglock.cli.internal.Printable;
import io.pglock.cli.internal.view.Span;
import io.pglock.cli.internal.view.Span.Look;
import io.pglock.cli.internal.view.TreeView;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import org.jline.terminal.Size;
import org.jline.utils.AttributedString;

/** Puts a {@link Screen} on a page. Immutable. */
final class Painter {

    private static final DateTimeFormatter CLOCK =
            DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT).withZone(ZoneId.systemDefault());

    private static final String KEYS =
            " up/down select  enter details  c cancel  t terminate  s sort  / filter  p pause  ? help  q quit";

    private static final List<String> HELP = List.of(
            "up, down, k, j        select a session; g and G the first and the last one",
            "page up, page down    ten at once; where details are open, in these",
            "enter                 open or close the details: the whole query, the locks held, what its comments say",
            "c                     cancel the statement of the selected session, after a question",
            "t                     terminate the selected session, after a question",
            "s                     sort by: most victims, longest wait, oldest transaction, pid",
            "/                     show only trees in which this text occurs; escape shows all again",
            "p                     pause, and go on",
            "q, ctrl-c             quit",
            "",
            "└─ waits for a lock that the session above holds; └┄ merely stands behind it in the queue.",
            "A session is signalled only if it still is in the transaction in which it was shown.");

    private static final int LEAST_FOR_DETAILS = 6;
    private static final int LEAST_WIDTH = 20;

    private final String server;
    private final boolean colours;

    Painter(String server, boolean colours) {
        this.server = server;
        this.colours = colours;
    }

    List<AttributedString> paint(Screen screen, Size size) {
        Page page = new Page(size, colours);
        page.bar(title(screen));
        sparkline(screen, page);
        page.line();
        int footer = Math.max(1, told(screen, page.width()).size())
                + notes(screen, page.width()).size();
        if (screen.isHelp()) {
            HELP.forEach(line -> page.line(Span.plain(line)));
        } else {
            body(screen, page, footer);
        }
        page.fillTo(footer);
        footer(screen, page);
        return page.lines();
    }

    /** What matters most comes first: a narrow screen cuts it off. */
    private String title(Screen screen) {
        StringBuilder title = new StringBuilder(" pglock  ");
        screen.sight().ifPresent(seen -> {
            title.append(CLOCK.format(seen.at()));
            title.append(screen.isPaused() ? "  PAUSED" : "");
            title.append("  ").append(seen.waiting()).append(" waiting");
            title.append(", ").append(seen.tree().roots().size()).append(" blocking");
            title.append(seen.hasDeadlock() ? ", DEADLOCK" : "");
            title.append("  by ").append(screen.sort().title());
        });
        if (!screen.filter().isEmpty() && !screen.isTyping()) {
            title.append("  /").append(screen.filter());
        }
        return title.append("  ").append(Printable.of(server)).toString();
    }

    private void sparkline(Screen screen, Page page) {
        if (screen.sight().isEmpty()) {
            page.line(new Span("asking ...", Look.FAINT));
            return;
        }
        String most = " at most " + screen.waiting().greatest();
        String line = screen.waiting().last(page.width() - most.length() - "waiting ".length() - 4);
        page.line(new Span("waiting ", Look.FAINT), new Span(line, Look.WAITER), new Span(most, Look.FAINT));
    }

    private void body(Screen screen, Page page, int footer) {
        List<String> details = screen.details(Math.max(LEAST_WIDTH, page.width() - 4));
        int room = Math.max(0, page.left() - footer);
        int forDetails = details.isEmpty() ? 0 : Math.max(LEAST_FOR_DETAILS, room * 2 / 3);
        forDetails = Math.min(forDetails, Math.min(room, details.size() + 1));
        list(screen, page, room - forDetails);
        if (forDetails > 0) {
            page.fillTo(footer + forDetails);
            page.line(new Span("╌".repeat(Math.max(0, page.width() - 4)), Look.FAINT));
            details.stream().limit(forDetails - 1L).forEach(line -> page.line(Span.plain(line)));
        }
    }

    /** As much of it as there is room for, the chosen one among it. */
    private static void list(Screen screen, Page page, int room) {
        List<TreeView.Row> rows = screen.rows();
        if (rows.isEmpty() && screen.sight().isPresent()) {
            page.line(new Span(screen.filter().isEmpty() ? screen.nobody() : "nobody who waits matches", Look.FAINT));
        }
        int first = Math.max(0, Math.min(screen.index() - room / 2, rows.size() - room));
        for (int i = first; i < Math.min(rows.size(), first + room); i++) {
            page.line(rows.get(i).spans(), i == screen.index());
        }
    }

    /** What is asked or told, as many lines as it takes; empty where there is nothing but the keys to be shown. */
    private static List<String> told(Screen screen, int width) {
        String text = screen.asked().map(Screen::question).orElseGet(() -> Printable.of(screen.message()));
        return text.isEmpty() || screen.isTyping() ? List.of() : Page.wrapped(text, Math.max(LEAST_WIDTH, width - 4));
    }

    /** What could not be seen, and why, on lines above the keys. */
    private static List<String> notes(Screen screen, int width) {
        return screen.isTyping() || !told(screen, width).isEmpty()
                ? List.of()
                : screen.sight().stream()
                        .flatMap(seen -> seen.tree().notes().stream())
                        .flatMap(note -> Page.wrapped(Printable.of(note), Math.max(LEAST_WIDTH, width - 4)).stream())
                        .toList();
    }

    private static void footer(Screen screen, Page page) {
        List<String> told = told(screen, page.width());
        if (screen.isTyping()) {
            page.line(new Span("/", Look.HEAD), Span.plain(screen.filter() + "_"));
        } else if (told.isEmpty()) {
            notes(screen, page.width()).forEach(note -> page.line(new Span(note, Look.FAINT)));
            page.bar(KEYS);
        } else {
            told.forEach(line -> page.line(new Span(line, Look.HEAD)));
        }
    }
}
