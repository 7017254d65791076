// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.Collection;
import java.util.Set;

/**
 * Whom a signal to a blocker must never reach, beyond what is never signalled anyway. Not API.
 *
 * @param names application or role names, exact
 * @param pids sessions of this JVM, as {@link OwnSessions} knows them
 */
public record Spared(Set<String> names, Set<Integer> pids) {

    public static final Spared NOBODY = new Spared(Set.of(), Set.of());

    public Spared {
        names = Set.copyOf(names);
        pids = Set.copyOf(pids);
    }

    public static Spared of(Collection<String> names, Collection<Integer> pids) {
        return new Spared(Set.copyOf(names), Set.copyOf(pids));
    }
}
