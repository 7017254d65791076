// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.cli.internal.select.Attribute;
import io.pglock.cli.internal.select.Attributes;
import java.util.ArrayList;
import java.util.List;

/** What {@code pglock ls --help} says besides its options: examples, operators, and the attributes from their table. */
final class LsHelp {

    private static final int WIDTH = 78;

    private LsHelp() {}

    static String[] footer() {
        List<String> footer = new ArrayList<>(List.of(
                "",
                "Filters:",
                "  ATTRIBUTE=VALUE, or ATTRIBUTE__OPERATOR=VALUE with one of exact, iexact, ne,",
                "  gt, gte, lt, lte, in, isnull, contains, icontains, startswith, istartswith,",
                "  endswith, iendswith, regex, iregex. Of several all have to be true.",
                "",
                "Attributes:"));
        footer.addAll(wrapped());
        footer.addAll(List.of(
                "  With --blocking also blocking_activity_id, blocking_hard, blocking_modes, and",
                "  of who is in the way blocking_activity__... as above. Of a context also one",
                "  key: activity__context__KEY.",
                "",
                "Examples:",
                "  pglock                              the locks, who waits longest first",
                "  pglock --on orders --blocking       who waits for orders, and for whom",
                "  pglock -f granted=false -f 'activity__duration__gt=5 seconds'",
                "  pglock -f mode__gte=SHARE --sort -activity__xact_duration",
                "  pglock 4711 -e                      all there is to know of 4711's locks",
                "  pglock -f granted=false --json | jq '.[].activity_id'",
                "  pglock --check -f wait_duration__gt=30s >/dev/null || alert"));
        return footer.toArray(String[]::new);
    }

    private static List<String> wrapped() {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder(" ");
        for (Attribute attribute : Attributes.all(false)) {
            String name = attribute.name();
            if (line.length() + name.length() > WIDTH) {
                lines.add(line.toString());
                line = new StringBuilder(" ");
            }
            line.append(' ').append(name);
        }
        lines.add(line.toString());
        return lines;
    }
}
