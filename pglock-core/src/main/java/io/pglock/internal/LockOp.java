// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

/** What a {@link io.pglock.LockClient}'s session can be told to do with one key; each answers yes or no. Not API. */
enum LockOp {
    TRY,
    TRY_SHARED,
    UNLOCK,
    UNLOCK_SHARED,
    /** From exclusive to shared without letting go; no where that would overtake somebody who waits on the server. */
    DOWNGRADE,
    /** Lets other clients know that this one waits. */
    ANNOUNCE,
    WITHDRAW,
    /** Takes it unless another client waits for it. */
    TRY_UNLESS_AWAITED,
    TRY_SHARED_UNLESS_AWAITED,
    /** Whether somebody else waits for it. */
    IS_AWAITED;

    /** What clients do nearly always. */
    boolean isBasic() {
        return ordinal() <= UNLOCK_SHARED.ordinal();
    }

    boolean isTry() {
        return switch (this) {
            case TRY, TRY_SHARED, TRY_UNLESS_AWAITED, TRY_SHARED_UNLESS_AWAITED -> true;
            default -> false;
        };
    }

    static LockOp tryIn(boolean shared) {
        return shared ? TRY_SHARED : TRY;
    }

    static LockOp tryUnlessAwaited(boolean shared) {
        return shared ? TRY_SHARED_UNLESS_AWAITED : TRY_UNLESS_AWAITED;
    }

    static LockOp unlock(boolean shared) {
        return shared ? UNLOCK_SHARED : UNLOCK;
    }
}
