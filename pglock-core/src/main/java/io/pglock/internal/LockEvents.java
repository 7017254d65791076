// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/**
 * What Flight Recorder is told of a {@link io.pglock.LockClient}. Where nothing is recorded it costs nothing, and where the JVM
 * has no Flight Recorder nothing is told. Not API.
 */
public final class LockEvents {

    /** Its module may not be in an image that was made for one application. */
    private static final boolean RECORDER =
            ModuleLayer.boot().findModule("jdk.jfr").isPresent();

    private LockEvents() {}

    /** Somebody asks for a lock, and waits for as long as the event lasts. */
    public static Acquire acquire() {
        return RECORDER ? AcquireEvent.begun() : (request, isShared, isAcquired) -> {};
    }

    /** A lock is held for as long as the event lasts. */
    public static Held held() {
        return RECORDER ? HeldEvent.begun() : (hold, isLost) -> {};
    }

    /** A statement of a client takes as long as the event lasts. */
    static RoundTrip roundTrip() {
        return RECORDER ? RoundTripEvent.begun() : count -> {};
    }

    /** What ends when a request has an answer. */
    @FunctionalInterface
    public interface Acquire {
        void end(Object request, boolean isShared, boolean isAcquired);
    }

    /** What ends when a lock is released, or lost. */
    @FunctionalInterface
    public interface Held {
        void end(ClientHold hold, boolean isLost);
    }

    /** What ends with the statement. */
    @FunctionalInterface
    interface RoundTrip {
        void end(int count);
    }

    /** {@link Acquire}, recorded. */
    @Name("pglock.Acquire")
    @Label("Lock Acquire")
    @Category({"pglock"})
    @Description("A request for an advisory lock, from when it was made until it was granted or given up")
    static final class AcquireEvent extends Event implements Acquire {

        @Label("Key")
        @Nullable String key;

        @Label("Shared")
        boolean shared;

        @Label("Acquired")
        boolean acquired;

        static Acquire begun() {
            AcquireEvent event = new AcquireEvent();
            event.begin();
            return event;
        }

        @Override
        public void end(Object request, boolean isShared, boolean isAcquired) {
            if (shouldCommit()) {
                key = request.toString();
                shared = isShared;
                acquired = isAcquired;
                commit();
            }
        }
    }

    /** {@link Held}, recorded. */
    @Name("pglock.Hold")
    @Label("Lock Hold")
    @Category({"pglock"})
    @Description(
            "An advisory lock that was held, from when it was granted until it was released or its loss was noticed")
    static final class HeldEvent extends Event implements Held {

        @Label("Key")
        @Nullable String key;

        @Label("Shared")
        boolean shared;

        @Label("Lost")
        boolean lost;

        static Held begun() {
            HeldEvent event = new HeldEvent();
            event.begin();
            return event;
        }

        @Override
        public void end(ClientHold hold, boolean isLost) {
            if (shouldCommit()) {
                key = hold.keys().toString();
                shared = hold.isShared();
                lost = isLost;
                commit();
            }
        }
    }

    /** {@link RoundTrip}, recorded. */
    @Name("pglock.RoundTrip")
    @Label("Lock Round Trip")
    @Category({"pglock"})
    @Description("What a LockClient asked of its session at once")
    @StackTrace(false)
    static final class RoundTripEvent extends Event implements RoundTrip {

        @Label("Operations")
        int operations;

        static RoundTrip begun() {
            RoundTripEvent event = new RoundTripEvent();
            event.begin();
            return event;
        }

        @Override
        public void end(int count) {
            if (shouldCommit()) {
                operations = count;
                commit();
            }
        }
    }
}
