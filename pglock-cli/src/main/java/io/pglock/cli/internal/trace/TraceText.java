// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.trace;

import io.pglock.internal.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** What a statement did, for people. Stateless. */
final class TraceText {

    private TraceText() {}

    /** A line for the statement, and further in one for each thing that it did. */
    static List<String> lines(TracedStatement traced) {
        List<String> lines = new ArrayList<>();
        lines.add(traced.statement().place() + "  " + traced.statement().title() + "  " + Text.age(traced.ran())
                + (traced.sampled() ? ", outside of a transaction" : ""));
        for (TracedLock lock : traced.locks()) {
            if (lock.isWorthALine()) {
                lines.add("    " + lock.mode().sql() + " on " + (lock.isNew() ? "new " : "")
                        + (lock.on().isTable() ? "" : lock.on().kindInWords() + " ") + lock.on()
                        + (traced.sampled() ? ", seen for " : ", held ") + Text.age(lock.held())
                        + lock.blocks().map(what -> ", blocks " + what).orElse(""));
            }
        }
        boolean empties = traced.statement().begins("truncate");
        more(lines, empties ? "empties" : "rewrites", traced.rewritten());
        more(lines, "creates", traced.created());
        more(lines, "drops", traced.dropped());
        if (traced.locks().isEmpty() && traced.sampled()) {
            lines.add("    no lock was held for long enough to be seen");
        } else if (lines.size() == 1) {
            lines.add("    no further locks");
        }
        return lines;
    }

    private static void more(List<String> lines, String what, List<Relation> relations) {
        if (!relations.isEmpty()) {
            lines.add("    " + what + " "
                    + relations.stream()
                            .map(relation -> relation.kindInWords() + " " + relation)
                            .sorted((a, b) -> Boolean.compare(a.startsWith("index"), b.startsWith("index")))
                            .collect(Collectors.joining(", ")));
        }
    }
}
