// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.lang.System.Logger.Level;

/**
 * Whom a lock is for: whoever is equal to an object of the caller's. That object's methods run on the thread that all locks of the
 * client depend on, so what goes wrong in them ends here. Immutable, as far as that object is. Not API.
 */
final class Owner {

    private static final int LONGEST_NAME = 60;

    private final Object who;
    private final int hash;

    /** On the thread of whoever asks for the lock, which is told when its hash code cannot be had. */
    Owner(Object who) {
        this.who = who;
        this.hash = who.hashCode();
    }

    Object who() {
        return who;
    }

    boolean isThread() {
        return who instanceof Thread;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Owner another && hash == another.hash && isSame(another.who);
    }

    private boolean isSame(Object another) {
        try {
            return who == another || who.equals(another);
        } catch (RuntimeException | Error e) {
            Log.log(Level.WARNING, "Owners of a lock cannot be compared, and count as two: " + this, e);
            return false;
        }
    }

    @Override
    public int hashCode() {
        return hash;
    }

    /** {@code thread main}, {@code job 7}; its class where it has no name. */
    @Override
    public String toString() {
        if (who instanceof Thread thread) {
            return "thread " + thread.getName();
        }
        try {
            String name = who.toString();
            return name == null ? who.getClass().getName() : Text.shorten(name, LONGEST_NAME);
        } catch (RuntimeException | Error e) {
            return who.getClass().getName();
        }
    }
}
