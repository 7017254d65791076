// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.util.Optional;

/** What goes wrong inside the agent: never silent, and with {@code onError=fail} nothing runs that could not be woven. Thread-safe. */
final class Trouble {

    private final AgentLog log;
    private final boolean fails;
    private final Counters counters;
    private volatile Optional<String> broken = Optional.empty();

    Trouble(AgentLog log, Counters counters, boolean fails) {
        this.log = log;
        this.counters = counters;
        this.fails = fails;
    }

    /** Something does not work, and is not protected from here on; told once for each place. */
    void at(String where, Throwable e) {
        counters.failed(e);
        log.warnOnce(where, where + ": " + e, e);
    }

    /** A class or a driver cannot be woven: what needs it is unprotected, and with {@code onError=fail} no guarded method runs. */
    void unwoven(String what, Throwable e) {
        at(what, e);
        if (fails) {
            broken = Optional.of(what + ": " + e);
        }
    }

    /** Why nothing that is to be protected may run. */
    Optional<String> broken() {
        return broken;
    }

    boolean fails() {
        return fails;
    }
}
