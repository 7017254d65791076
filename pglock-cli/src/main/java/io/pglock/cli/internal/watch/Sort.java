// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.watch;

import io.pglock.LockTree;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;

/** In which order the trees are. */
enum Sort {
    VICTIMS("most victims"),
    WAIT("longest wait"),
    AGE("oldest transaction"),
    PID("pid");

    private final String title;

    Sort(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }

    Comparator<LockTree.Root> order() {
        return switch (this) {
            case VICTIMS -> Comparator.comparing(LockTree.Root::victims).reversed();
            case WAIT -> Comparator.comparing(Sort::longestWait).reversed();
            case AGE ->
                Comparator.comparing(root -> root.node().backend().xactStart().orElse(Instant.MAX));
            case PID -> Comparator.comparing(root -> root.node().backend().pid());
        };
    }

    private static Duration longestWait(LockTree.Root root) {
        return root.node().stream()
                .flatMap(node -> node.waitingFor().stream())
                .flatMap(wait -> wait.waited().stream())
                .max(Comparator.naturalOrder())
                .orElse(Duration.ZERO);
    }

    Sort next() {
        return values()[(ordinal() + 1) % values().length];
    }
}
