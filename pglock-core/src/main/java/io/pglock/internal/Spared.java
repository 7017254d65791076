// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.Set;

/**
 * Whom a signal to a blocker must never reach, beyond what is never signalled anyway. Not API.
 *
 * @param names application or role names, exact
 * @param pids sessions of this JVM, as {@link OwnSessions} and {@link OwnSockets} know them
 */
public record Spared(Set<String> names, Set<Integer> pids) {

    public Spared {
        names = Set.copyOf(names);
        pids = Set.copyOf(pids);
    }
}
