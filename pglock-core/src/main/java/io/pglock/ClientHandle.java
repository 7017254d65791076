// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.ClientHold;
import io.pglock.internal.Failures;
import io.pglock.internal.Hold;
import io.pglock.internal.LockEvents;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** A lock that the session of a {@link LockClient} holds. Thread-safe. */
final class ClientHandle implements LockHandle {

    private final LockClient client;
    private final ClientHold hold;
    private final LockEvents.Held event = LockEvents.held();
    private @Nullable CompletableFuture<Long> token;

    ClientHandle(LockClient client, ClientHold hold) {
        this.client = client;
        this.hold = hold;
    }

    @Override
    public LockKey key() {
        return hold.keys().get(0);
    }

    @Override
    public List<LockKey> keys() {
        return hold.keys();
    }

    @Override
    public boolean isShared() {
        return hold.isShared();
    }

    @Override
    public boolean isHeld() {
        return hold.isHeld();
    }

    @Override
    public LockHandle onLost(Runnable action) {
        hold.onLost(action);
        return this;
    }

    @Override
    public long fencingToken() {
        if (!hold.isHeld()) {
            throw noToken();
        }
        try {
            return token().join();
        } catch (CompletionException e) {
            if (!hold.isHeld()) {
                throw noToken();
            }
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw cause instanceof PgLockException failure
                    ? failure
                    : Failures.causedBy(cause, key() + ": no fencing token: " + cause);
        }
    }

    /** One for all who ask, at the same time too; another one only after a failure. */
    private synchronized CompletableFuture<Long> token() {
        CompletableFuture<Long> asked = token;
        if (asked == null || asked.isCompletedExceptionally()) {
            asked = client.engine().fencingToken(hold);
            token = asked;
        }
        return asked;
    }

    private RuntimeException noToken() {
        return hold.isLost()
                ? new LockLostException(this + ": takes no fencing token any more.")
                : new IllegalStateException(key() + ": was released. Ask for the fencing token while it is held.");
    }

    @Override
    public void close() {
        Optional<Hold.Loss> loss = Optional.ofNullable(hold.takeLoss());
        if (loss.isPresent() && hold.keys().size() > 1) {
            client.engine().releaseTheRest(hold);
        }
        if (loss.isEmpty()) {
            if (!hold.release()) {
                return;
            }
            loss = client.engine().release(hold);
            loss.ifPresent(hold::lostBeforeRelease);
        }
        event.end(hold, loss.isPresent());
        if (loss.isPresent()) {
            throw lost(loss.get());
        }
        client.tell(listener -> listener.released(LockClient.use(hold)));
    }

    private LockLostException lost(Hold.Loss why) {
        LockLostException lost = new LockLostException(key() + ": was lost before it was released. " + why.message());
        if (why.cause() != null) {
            lost.initCause(why.cause());
        }
        return lost;
    }

    @Override
    public void releaseNow() {
        close();
    }

    /** {@code nightly-report (-8663603374018903193), shared, held}. */
    @Override
    public String toString() {
        return ClientLock.text(hold.keys())
                + (isShared() ? ", shared" : "")
                + (isHeld() ? ", held" : hold.isLost() ? ", lost" : ", not held");
    }
}
