// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import io.pglock.agent.internal.Environment;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;

/** The sessions of a driver that scopes have used. Thread-safe; finding one waits for nobody. */
final class Sessions {

    private final Environment environment;
    private final WeakKeys<Object, Session> byExecutor = new WeakKeys<>();

    /** Those that have something to put back: the only ones that have to be looked after when their connection is closed. */
    private final Set<Session> armed = ConcurrentHashMap.newKeySet();

    Sessions(Environment environment) {
        this.environment = environment;
    }

    Environment environment() {
        return environment;
    }

    /** Null for one that no scope has used. */
    @Nullable Session of(Object executor) {
        return byExecutor.get(executor);
    }

    /** A scope is about to use it. One that is new mostly takes the place of another that is gone, and need not be kept. */
    Session of(Object executor, BaseConnection connection) {
        Session there = byExecutor.get(executor);
        if (there != null) {
            return there;
        }
        byExecutor.values().forEach(Session::forgetIfGone);
        return byExecutor.computeIfAbsent(executor, absent -> new Session(this, executor, connection));
    }

    /** While one has something to put back, statements are looked at. */
    void arm(Session session, boolean needed) {
        if (needed ? armed.add(session) : armed.remove(session)) {
            environment.arm(needed ? 1 : -1);
        }
    }

    /** It can be used no more. */
    void forget(Session session, @Nullable Object executor) {
        arm(session, false);
        if (executor != null) {
            byExecutor.remove(executor);
        }
    }

    /** Forgets those that would be put back, and are gone. */
    void sweep() {
        for (Session session : armed) {
            session.forgetIfGone();
        }
    }
}
