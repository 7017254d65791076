// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.watch;

import io.pglock.LockTree;
import java.time.Instant;
import java.util.Comparator;

/** In which order the trees are. */
enum Sort {
    VICTIMS("most victims", Comparator.comparing(LockTree.Root::victims).reversed()),
    WAIT("longest wait", Comparator.comparing(LockTree.Root::totalWait).reversed()),
    AGE(
            "oldest transaction",
            Comparator.comparing(root -> root.node().backend().xactStart().orElse(Instant.MAX))),
    PID("pid", Comparator.comparing(root -> root.node().backend().pid()));

    final String title;
    final Comparator<LockTree.Root> order;

    Sort(String title, Comparator<LockTree.Root> order) {
        this.title = title;
        this.order = order;
    }

    Sort next() {
        return values()[(ordinal() + 1) % values().length];
    }
}
