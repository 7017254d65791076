// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import static com.acme.weaving.Db.lockTimeout;
import static com.acme.weaving.Db.say;

import java.io.IOException;
import java.sql.SQLException;
import java.util.Arrays;

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
        say("marked twice", Marked.twice());
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

        @SuppressWarnings("ClassCanBeStatic") // it is to be an inner class
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

        @Marker
        @Marker
        static String twice() {
            return lockTimeout();
        }

        static String unmarked() {
            return lockTimeout();
        }
    }
}
