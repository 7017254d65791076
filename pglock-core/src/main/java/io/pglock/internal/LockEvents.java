// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/** What Flight Recorder is told of a {@link io.pglock.LockClient}. Where nothing is recorded it costs nothing. Not API. */
public final class LockEvents {

    private LockEvents() {}

    /** Somebody asked for a lock, and waited for as long as the event lasts. */
    @Name("pglock.Acquire")
    @Label("Lock Acquire")
    @Category({"pglock"})
    @Description("A request for an advisory lock, from when it was made until it was granted or given up")
    public static final class Acquire extends Event {

        @Label("Key")
        @Nullable String key;

        @Label("Shared")
        boolean shared;

        @Label("Acquired")
        boolean acquired;

        /** Ends the event. */
        public void end(Object request, boolean isShared, boolean isAcquired) {
            if (shouldCommit()) {
                key = request.toString();
                shared = isShared;
                acquired = isAcquired;
                commit();
            }
        }
    }

    /** A lock was held for as long as the event lasts. */
    @Name("pglock.Hold")
    @Label("Lock Hold")
    @Category({"pglock"})
    @Description(
            "An advisory lock that was held, from when it was granted until it was released or its loss was noticed")
    public static final class Held extends Event {

        @Label("Key")
        @Nullable String key;

        @Label("Shared")
        boolean shared;

        @Label("Lost")
        boolean lost;

        /** Ends the event. */
        public void end(ClientHold hold, boolean isLost) {
            if (shouldCommit()) {
                key = hold.keys().toString();
                shared = hold.isShared();
                lost = isLost;
                commit();
            }
        }
    }

    /** A statement of a client took as long as the event lasts. */
    @Name("pglock.RoundTrip")
    @Label("Lock Round Trip")
    @Category({"pglock"})
    @Description("What a LockClient asked of its session at once")
    @StackTrace(false)
    static final class RoundTrip extends Event {

        @Label("Operations")
        int operations;

        void end(int count) {
            if (shouldCommit()) {
                operations = count;
                commit();
            }
        }
    }
}
