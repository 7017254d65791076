// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.util.concurrent.atomic.LongAdder;

/** What goes wrong inside the agent: never silent, and with {@code onError=fail} never survived. Thread-safe. */
final class Trouble {

    private final AgentLog log;
    private final boolean fails;
    private final LongAdder count = new LongAdder();

    Trouble(AgentLog log, boolean fails) {
        this.log = log;
        this.fails = fails;
    }

    /** Something does not work, and is not protected from here on; told once for each place. */
    void at(String where, Throwable e) {
        count.increment();
        log.warnOnce(where, where + ": " + e, e);
    }

    /**
     * Something cannot be protected.
     *
     * @throws IllegalStateException with {@code onError=fail}
     */
    void refused(String what) {
        count.increment();
        if (fails) {
            throw new IllegalStateException("pglock: " + what);
        }
        log.warnOnce(what, what);
    }

    boolean fails() {
        return fails;
    }

    long count() {
        return count.sum();
    }
}
