// SPDX-License-Identifier: Apache-2.0
package io.pglock.site;

import java.util.Map;
import org.commonmark.ext.gfm.tables.TableBlock;
import org.commonmark.ext.gfm.tables.TableCell;
import org.commonmark.node.Node;

/** On a phone the cells of a table of few columns stand below each other, each with the name of its column. */
final class Tables {

    private static final int NARROW = 4;
    private static final int LONGEST_LABEL = 20;

    private Tables() {}

    /** Whether it has so few columns that they are read one after the other; figures in many are compared, and scrolled. */
    static boolean isNarrow(TableBlock table) {
        Node heads = table.getFirstChild().getFirstChild();
        return children(heads) <= NARROW;
    }

    /** Lets a cell know the name of its column. */
    static void label(Node node, String tag, Map<String, String> attributes) {
        if (node instanceof TableCell cell
                && !cell.isHeader()
                && cell.getParent().getParent().getParent() instanceof TableBlock table
                && isNarrow(table)) {
            Node head = table.getFirstChild().getFirstChild().getFirstChild();
            for (Node before = cell.getPrevious(); before != null && head != null; before = before.getPrevious()) {
                head = head.getNext();
            }
            String label = head == null ? "" : PlainText.of(head);
            if (!label.isEmpty() && label.length() <= LONGEST_LABEL) {
                attributes.put("data-label", label);
            }
        }
    }

    private static int children(Node parent) {
        int count = 0;
        for (Node child = parent.getFirstChild(); child != null; child = child.getNext()) {
            count++;
        }
        return count;
    }
}
