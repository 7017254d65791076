// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import static com.acme.weaving.Db.lockTimeout;
import static com.acme.weaving.Db.say;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;

/** An application that does not know pglock: methods {@code in...} are named in the configuration, {@code out...} are not. */
public final class Methods {

    private Methods() {}

    public static void main(String[] arguments) throws Exception {
        Db.open(arguments);
        new Kinds().run();
        say("record", new Point(1, 2).inRecord());
        say("enum constant with a body", Colour.RED.inConstant());
        say("enum constant without a body", Colour.GREEN.inConstant());
        say("default", new Shape() {}.inDefault());
        say("interface's static", Shape.inStatic());
        say("interface's private", new Shape() {}.outDefault());
        say("inner", new Kinds().new Inner().inInner());
        say("anonymous", new Kinds().anonymous().inDefault());
        say("generic", ((Named<String>) new Text()).inGeneric("x"));
        say("overload by int", Overloads.choose(1));
        say("overload by text and array", Overloads.choose("a", new int[] {1}));
        say("overload not named", Overloads.choose("a"));
        say("marked", Marked.run());
        say("not marked", Marked.unmarked());
        say("not named", new Kinds().out());
        say("afterwards", lockTimeout());
        Again.run();
        Skips.run();
        say("at the end", lockTimeout());
        say("done", "");
    }

    static class Kinds {
        void run() throws SQLException {
            say("private", inPrivate());
            say("static", inStatic());
            say("final", inFinal());
            say("synchronized", inSynchronized());
            say("self-invoked", outer());
            say("recursion", inRecursion(3));
            say("varargs", inVarargs("a", "b"));
            say("afterwards in between", lockTimeout());
            try {
                inChecked();
            } catch (IOException e) {
                say("checked exception", e.getMessage());
            }
            say("after the exception", lockTimeout());
            try {
                inError();
            } catch (StackOverflowError e) {
                say("error", e.getMessage());
            }
            say("after the error", lockTimeout());
            say("local class", outLocal());
        }

        private String inPrivate() {
            return lockTimeout();
        }

        static String inStatic() {
            return lockTimeout();
        }

        final String inFinal() {
            return lockTimeout();
        }

        synchronized String inSynchronized() {
            return lockTimeout();
        }

        private String outer() {
            return lockTimeout() + " " + this.inPrivate() + " " + lockTimeout();
        }

        String inRecursion(int deep) {
            return deep == 0 ? lockTimeout() : lockTimeout() + " " + inRecursion(deep - 1);
        }

        String inVarargs(String... texts) {
            return lockTimeout() + " " + Arrays.toString(texts);
        }

        void inChecked() throws IOException {
            throw new IOException(lockTimeout());
        }

        void inError() {
            throw new StackOverflowError(lockTimeout());
        }

        String out() {
            return lockTimeout();
        }

        String outLocal() {
            class Local {
                String inLocal() {
                    return lockTimeout();
                }
            }
            return new Local().inLocal();
        }

        Shape anonymous() {
            return new Shape() {
                @Override
                public String inDefault() {
                    return lockTimeout() + " of " + getClass().isAnonymousClass();
                }
            };
        }

        final class Inner {
            String inInner() {
                return lockTimeout();
            }
        }
    }

    record Point(int x, int y) {
        String inRecord() {
            return lockTimeout() + " " + this;
        }
    }

    enum Colour {
        RED {
            @Override
            String inConstant() {
                return lockTimeout() + " red";
            }
        },
        GREEN;

        String inConstant() {
            return lockTimeout();
        }
    }

    interface Shape {
        default String inDefault() {
            return lockTimeout();
        }

        static String inStatic() {
            return lockTimeout();
        }

        private String inPrivate() {
            return lockTimeout();
        }

        default String outDefault() {
            return inPrivate();
        }
    }

    interface Named<T> {
        String inGeneric(T value);
    }

    static final class Text implements Named<String> {
        private int calls;

        @Override
        public String inGeneric(String value) {
            calls++;
            return lockTimeout() + " " + calls + value;
        }
    }

    static final class Overloads {
        static String choose(int a) {
            return lockTimeout() + " " + a;
        }

        static String choose(String a) {
            return lockTimeout() + " " + a;
        }

        static String choose(String a, int[] b) {
            return lockTimeout() + " " + a + b.length;
        }
    }

    static final class Marked {
        @Marker
        static String run() {
            return lockTimeout();
        }

        static String unmarked() {
            return lockTimeout();
        }
    }

    /** Runs a second time, as it was asked to. */
    static final class Again {
        private static final List<String> SEEN = new ArrayList<>();
        private static Connection blocker;

        static void run() throws Exception {
            Db.run("create table if not exists t (a int)");
            blocker = Db.another();
            blocker.setAutoCommit(false);
            Db.run(blocker, "lock table t");
            String returned = twice(
                    1,
                    2L,
                    3.5,
                    "four",
                    new long[] {5},
                    6.5f,
                    true,
                    (byte) 8,
                    'n',
                    (short) 10,
                    11L,
                    12.5,
                    null,
                    List.of("x"));
            say("arguments", SEEN);
            say("returned", returned);
            SEEN.clear();
            Db.run(blocker, "lock table t");
            say("static with two words", doubles(1L, 2.5));
            say("its arguments", SEEN);
            blocker.close();
        }

        private static String twice(
                int a,
                long b,
                double c,
                String d,
                long[] e,
                float f,
                boolean g,
                byte h,
                char i,
                short j,
                long k,
                double l,
                Object m,
                List<String> n)
                throws Exception {
            SEEN.add(a + " " + b + " " + c + " " + d + " " + e[0] + " " + f + " " + g + " " + h + " " + i + " " + j
                    + " " + k + " " + l + " " + m + " " + n);
            a++;
            b *= 2;
            c /= 2;
            d = null;
            e = new long[1];
            f = 0;
            g = !g;
            h++;
            i++;
            j++;
            k = 0;
            l = 0;
            m = "m";
            n = List.of();
            attempt();
            return a + " " + b + " " + c + " " + d + " " + e[0] + " " + f + " " + g + " " + h + " " + i + " " + j + " "
                    + k + " " + l + " " + m + " " + n;
        }

        private static long doubles(long a, double b) throws Exception {
            SEEN.add(a + " " + b);
            a += 7;
            b += 7;
            attempt();
            return a + (long) b;
        }

        private static void attempt() throws Exception {
            if (SEEN.size() == 2) {
                CompletableFuture.runAsync(() -> {
                            try {
                                blocker.rollback();
                            } catch (SQLException e) {
                                throw new IllegalStateException(e);
                            }
                        })
                        .get();
            }
            Db.run("truncate t");
        }
    }

    /** Somebody else has their lock. */
    static final class Skips {
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
}
