// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.util.List;

/** Threads of this JVM that are alive, found by their names: those of pglock begin with {@code pglock}. */
public final class LiveThreads {
    private LiveThreads() {}

    /** Those whose names begin so. */
    public static List<Thread> named(String beginning) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith(beginning))
                .toList();
    }
}
