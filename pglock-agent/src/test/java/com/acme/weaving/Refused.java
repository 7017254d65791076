// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import static com.acme.weaving.Db.say;

import io.pglock.annotation.OnTimeout;
import io.pglock.annotation.WithAdvisoryLock;
import io.pglock.annotation.WithLockTimeout;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import kotlin.coroutines.Continuation;
import reactor.core.publisher.Mono;

/** Methods that cannot be protected, or not wholly. It needs no database. */
public final class Refused {

    private Refused() {}

    public static void main(String[] arguments) {
        Refused it = new Refused();
        tell("primitive", it::primitive);
        tell("nothing", () -> {
            it.nothing();
            return "ran";
        });
        tell("unreadable", it::unreadable);
        tell("misspelt", it::misspelt);
        tell("future", () -> it.future().getClass().getSimpleName());
        tell("stage", () -> it.stage().getClass().getSimpleName());
        tell("mono", () -> it.mono().value);
        tell("mono with a timeout", () -> it.timedMono().value);
        tell("suspend", () -> it.suspend("x", null));
        tell("suspend with a timeout", () -> it.timedSuspend(null));
        tell("synchronized", it::guarded);
        tell("interface", new Implementing()::interfaceMethod);
        tell("abstract", new Implementing()::abstractMethod);
        tell("constructor", () -> new Constructed().getClass().getSimpleName());
        tell("fine beside them", new Implementing()::fine);
        tell("many", new Many.Some()::abstractOne);
        tell("native", () -> {
            return "not called, one of " + Native.class.getDeclaredMethods().length;
        });
        say("done", "");
    }

    private interface Returning {
        Object value();
    }

    private static void tell(String name, Returning method) {
        try {
            say(name, method.value());
        } catch (RuntimeException e) {
            say(name, e.getMessage());
        }
    }

    @WithAdvisoryLock(value = "7", timeout = "0s", onTimeout = OnTimeout.SKIP)
    private int primitive() {
        return 1;
    }

    @WithAdvisoryLock(value = "7", timeout = "0s", onTimeout = OnTimeout.SKIP, skipValue = "1")
    private void nothing() {}

    @WithAdvisoryLock(value = "7", timeout = "0s", onTimeout = OnTimeout.SKIP, skipValue = "many")
    private long unreadable() {
        return 1;
    }

    @WithLockTimeout("soon")
    private String misspelt() {
        return "ran";
    }

    @WithAdvisoryLock
    private Future<String> future() {
        return CompletableFuture.completedFuture("ran");
    }

    @WithAdvisoryLock
    private CompletionStage<String> stage() {
        return CompletableFuture.completedFuture("ran");
    }

    @WithAdvisoryLock
    private Mono<String> mono() {
        return new Mono<>("ran");
    }

    @WithLockTimeout("1s")
    private Mono<String> timedMono() {
        return new Mono<>("ran");
    }

    @WithAdvisoryLock
    private Object suspend(String value, Continuation<String> continuation) {
        return "ran";
    }

    @WithLockTimeout("1s")
    private Object timedSuspend(Continuation<String> continuation) {
        return "ran";
    }

    /** Both of them do what they do without a database, until there is one. */
    @WithAdvisoryLock
    private synchronized String guarded() {
        return "ran";
    }

    private interface Contract {
        @WithLockTimeout("1s")
        String interfaceMethod();
    }

    private abstract static class Base {
        @WithLockTimeout("1s")
        abstract String abstractMethod();

        @WithLockTimeout("1s")
        String fine() {
            return "ran";
        }
    }

    private static final class Implementing extends Base implements Contract {
        @Override
        public String interfaceMethod() {
            return "ran";
        }

        @Override
        String abstractMethod() {
            return "ran";
        }
    }

    private static final class Constructed {
        @Marker
        Constructed() {}
    }

    static final class Native {
        @WithLockTimeout("1s")
        native void call();
    }

    /** All of these are named by one pattern, and none of them is worth a word. */
    static final class Many {
        interface One {
            String abstractOne();
        }

        static final class Some implements One {
            @Override
            public String abstractOne() {
                return "ran";
            }
        }
    }
}
