// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import io.pglock.cli.internal.Stop;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** In which order rows come. Immutable and thread-safe. */
final class Ordering implements Comparator<Row> {

    /** Who waits before who holds, the longest wait first; then the oldest transaction, and of its locks the weightiest. */
    private static final Comparator<Row> WORST_FIRST = new Ordering(List.of(
                    new By(Attributes.named("granted"), false),
                    new By(Attributes.named("wait_duration"), true),
                    new By(Attributes.named("activity__xact_duration"), true),
                    new By(Attributes.named("activity_id"), false)))
            .thenComparing(row -> row.lock().target().type())
            .thenComparing(row -> row.lock().mode(), Comparator.reverseOrder())
            .thenComparing(row -> row.lock().target().describe());

    private record By(Attribute attribute, boolean descending) {

        int compare(Row one, Row other) {
            Optional<?> a = attribute.of(one);
            Optional<?> b = attribute.of(other);
            if (a.isEmpty() || b.isEmpty()) {
                return Boolean.compare(a.isEmpty(), b.isEmpty()); // last, both ways
            }
            int order = order(a.get(), b.get());
            return descending ? -order : order;
        }

        @SuppressWarnings("unchecked")
        private int order(Object a, Object b) {
            return attribute.kind() == Kind.PIDS || attribute.kind() == Kind.MAP
                    ? Values.text(a).compareTo(Values.text(b))
                    : ((Comparable<Object>) Values.comparable(attribute, a)).compareTo(Values.comparable(attribute, b));
        }
    }

    private final List<By> keys;

    private Ordering(List<By> keys) {
        this.keys = List.copyOf(keys);
    }

    /**
     * @param attributes each an attribute, with a minus in front for the greatest first; several may stand in one, with commas
     * @throws Stop when there is no such attribute
     */
    static Comparator<Row> by(List<String> attributes, boolean withBlockers) {
        List<By> keys = new ArrayList<>();
        for (String written : attributes) {
            for (String one : written.split(",", -1)) {
                String name = one.strip();
                boolean descending = name.startsWith("-");
                Attribute attribute = Attributes.named(descending ? name.substring(1) : name);
                Selection.requireKnown(attribute, withBlockers);
                keys.add(new By(attribute, descending));
            }
        }
        return new Ordering(keys).thenComparing(WORST_FIRST);
    }

    @Override
    public int compare(Row one, Row other) {
        for (By key : keys) {
            int order = key.compare(one, other);
            if (order != 0) {
                return order;
            }
        }
        return 0;
    }
}
