// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.lang.ref.Cleaner;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;

/**
 * Looks for locks that are held for very long, or whose handle is gone: whoever acquired them is shown. They stay held, because
 * the work that they protect may go on; the optimizer lets go of a handle that is not used any more while its method still
 * runs. Thread-safe. Not API.
 */
public class HoldWatch {

    /** Costs one call. */
    public static final HoldWatch OFF = new HoldWatch();

    private HoldWatch() {}

    /**
     * @param longest how long is not suspicious yet
     * @param told gets each suspicious one once, and what is wrong with it: with where it was acquired as its stack
     */
    public static HoldWatch on(Duration longest, BiConsumer<ClientHold, Suspicion> told) {
        return new On(longest, told);
    }

    /** What is wrong, and where the lock was acquired. */
    public static final class Suspicion extends Throwable {

        @java.io.Serial
        private static final long serialVersionUID = 1L;

        Suspicion(String message) {
            super(message);
        }
    }

    /** To be called on the thread that has acquired it. */
    public void watch(ClientHold hold, Object handle) {}

    /** Looks once. */
    public void look() {}

    private static final class On extends HoldWatch {

        private static final Cleaner CLEANER = Cleaner.create();

        private final long longest;
        private final String patience;
        private final BiConsumer<ClientHold, Suspicion> told;
        private final Set<Watched> watched = ConcurrentHashMap.newKeySet();

        /** Must not know the handle. */
        private record Watched(ClientHold hold, Throwable acquiredAt, long since, AtomicBoolean isTold) {}

        On(Duration longest, BiConsumer<ClientHold, Suspicion> told) {
            this.longest = longest.toNanos();
            this.patience = Text.age(longest);
            this.told = told;
        }

        @Override
        public void watch(ClientHold hold, Object handle) {
            Watched one = new Watched(hold, new Throwable(), System.nanoTime(), new AtomicBoolean());
            watched.add(one);
            CLEANER.register(handle, () -> forgotten(one));
        }

        private void forgotten(Watched one) {
            if (one.hold().isHeld()) {
                tell(
                        one,
                        "its handle is gone, and was not closed. It stays held until the client is closed, because the work"
                                + " that it protects may still go on. It was acquired here:");
            }
        }

        @Override
        public void look() {
            long now = System.nanoTime();
            watched.removeIf(one -> !one.hold().isHeld());
            for (Watched one : watched) {
                if (now - one.since() >= longest) {
                    tell(one, "has been held for more than " + patience + ". It was acquired here:");
                }
            }
        }

        private void tell(Watched one, String what) {
            if (one.isTold().compareAndSet(false, true)) {
                Suspicion suspicion = new Suspicion(one.hold().keys().get(0) + ": " + what);
                suspicion.setStackTrace(one.acquiredAt().getStackTrace());
                told.accept(one.hold(), suspicion);
            }
        }
    }
}
