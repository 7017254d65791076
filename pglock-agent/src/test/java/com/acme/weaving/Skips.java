// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import static com.acme.weaving.Db.lockTimeout;
import static com.acme.weaving.Db.say;

import java.sql.Connection;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Somebody else has their lock. */
final class Skips {
    private static int bodies;

    static void run() throws Exception {
        Connection other = Db.another();
        Db.run(other, "select pg_advisory_lock(7)");
        skipVoid();
        say("skipped reference", skipReference());
        say("skipped boxed", skipBoxed());
        say("skipped text", skipText());
        say("skipped Optional", skipOptional());
        say("skipped OptionalInt", skipOptionalInt());
        say("skipped OptionalLong", skipOptionalLong());
        say("skipped OptionalDouble", skipOptionalDouble());
        say("skipped array", skipArray());
        say("declared int", declaredInt());
        say("declared long", declaredLong());
        say("declared double", declaredDouble());
        say("declared float", declaredFloat());
        say("declared boolean", declaredBoolean());
        say("declared char", declaredChar());
        say("declared byte", declaredByte());
        say("declared short", declaredShort());
        say("declared boxed", declaredBoxed());
        say("declared text", declaredText());
        say("bodies while it is held", bodies);
        say("nested", nested());
        try {
            raise();
            say("raised", "nothing");
        } catch (RuntimeException e) {
            say(
                    "raised",
                    e.getClass().getName() + " of "
                            + e.getClass().getClassLoader().getName());
            say("its message", e.getMessage());
        }
        other.close();
        awaitFree();
        say("not skipped", skipText() + " " + declaredInt());
        say("bodies when it is free", bodies);
    }

    private static void awaitFree() throws Exception {
        long until = System.nanoTime() + 10_000_000_000L;
        try (Connection probe = Db.another()) {
            while (!Db.ask(probe, "select count(*) from pg_locks where locktype = 'advisory'")
                    .equals("0")) {
                if (System.nanoTime() > until) {
                    throw new IllegalStateException("the other session has not ended");
                }
                Thread.onSpinWait();
            }
        }
    }

    static void skipVoid() {
        bodies++;
    }

    static StringBuilder skipReference() {
        bodies++;
        return new StringBuilder("ran");
    }

    static Integer skipBoxed() {
        bodies++;
        return 1;
    }

    static String skipText() {
        bodies++;
        return "ran";
    }

    static Optional<String> skipOptional() {
        bodies++;
        return Optional.of("ran");
    }

    static OptionalInt skipOptionalInt() {
        bodies++;
        return OptionalInt.of(1);
    }

    static OptionalLong skipOptionalLong() {
        bodies++;
        return OptionalLong.of(1);
    }

    static OptionalDouble skipOptionalDouble() {
        bodies++;
        return OptionalDouble.of(1);
    }

    static int[] skipArray() {
        bodies++;
        return new int[0];
    }

    static int declaredInt() {
        bodies++;
        return 1;
    }

    static long declaredLong() {
        bodies++;
        return 1;
    }

    static double declaredDouble() {
        bodies++;
        return 1;
    }

    static float declaredFloat() {
        bodies++;
        return 1;
    }

    static boolean declaredBoolean() {
        bodies++;
        return false;
    }

    static char declaredChar() {
        bodies++;
        return 'a';
    }

    static byte declaredByte() {
        bodies++;
        return 1;
    }

    static short declaredShort() {
        bodies++;
        return 1;
    }

    static Integer declaredBoxed() {
        bodies++;
        return 1;
    }

    static String declaredText() {
        bodies++;
        return "ran";
    }

    /** One that runs, and one in it that is skipped. */
    static String inNested() {
        return lockTimeout() + " " + skipText() + " " + lockTimeout();
    }

    static String nested() {
        return inNested();
    }

    static void raise() {
        bodies++;
    }
}
