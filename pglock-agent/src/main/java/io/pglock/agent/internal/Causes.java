// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.util.stream.Stream;

/** What is behind an exception. */
public final class Causes {

    /** Nobody nests deeper, but some causes lead back to themselves. */
    private static final int DEEPEST = 50;

    private Causes() {}

    /** It, and what caused it. */
    public static Stream<Throwable> of(Throwable thrown) {
        return Stream.iterate(thrown, cause -> cause != null, Throwable::getCause)
                .limit(DEEPEST);
    }
}
