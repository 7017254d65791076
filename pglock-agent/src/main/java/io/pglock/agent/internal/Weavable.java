// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.util.Optional;
import java.util.Set;
import net.bytebuddy.description.method.MethodDescription;
import net.bytebuddy.description.type.TypeDescription;

/** Which methods can carry what. Stateless. */
final class Weavable {

    /** What returns one of these, or a kind of it, may go on when it has returned. */
    private static final Set<String> ASYNCHRONOUS = Set.of(
            "java.util.concurrent.Future",
            "java.util.concurrent.CompletionStage",
            "java.util.concurrent.Flow$Publisher",
            "org.reactivestreams.Publisher",
            "reactor.core.publisher.Mono",
            "reactor.core.publisher.Flux",
            "io.smallrye.mutiny.Uni",
            "io.smallrye.mutiny.Multi",
            "io.reactivex.rxjava3.core.Single",
            "io.reactivex.rxjava3.core.Maybe",
            "io.reactivex.rxjava3.core.Completable",
            "io.reactivex.rxjava3.core.Observable",
            "io.reactivex.rxjava3.core.Flowable",
            "kotlinx.coroutines.flow.Flow",
            "kotlinx.coroutines.Job",
            "kotlinx.coroutines.Deferred",
            "com.google.common.util.concurrent.ListenableFuture",
            "io.vertx.core.Future",
            "scala.concurrent.Future");

    private static final Set<String> COMPLETED_BY_THEN = Set.of(
            "java.util.concurrent.Future",
            "java.util.concurrent.CompletionStage",
            "java.util.concurrent.CompletableFuture",
            "org.springframework.util.concurrent.ListenableFuture");

    /** Spring runs the body of these elsewhere, and to its end. */
    private static final String ASYNC = "org.springframework.scheduling.annotation.Async";

    private Weavable() {}

    /** Why there is nothing to put advice around; empty where there is. */
    static Optional<String> whyNot(TypeDescription type, MethodDescription method) {
        if (method.isConstructor()) {
            return Optional.of("it is a constructor, and those cannot be skipped or run again; annotate a method");
        }
        if (method.isNative()) {
            return Optional.of("it is native; name the method that calls it");
        }
        if (method.isAbstract()) {
            return Optional.of("it is abstract" + (type.isInterface() ? ", in an interface" : "")
                    + "; annotate or name the methods that implement it");
        }
        return Optional.empty();
    }

    /** @throws IllegalArgumentException when this method cannot have that, saying why */
    static void check(MethodDescription method, Spec spec) {
        if (isSuspend(method) && spec.outlivesItsThread() && !spec.doneOnReturn()) {
            throw new IllegalArgumentException(
                    "it is a suspend function of Kotlin, which ends and begins anew wherever it"
                            + " suspends, and would let go of its lock there; call a function that is none, or, where"
                            + " it never suspends, set " + Keys.DONE_ON_RETURN + "=true for it in the configuration");
        }
        if (isAsynchronous(method) && spec.outlivesItsThread() && !spec.doneOnReturn() && !isAsync(method)) {
            throw new IllegalArgumentException("it returns a " + simple(method) + ", so it may have returned before it"
                    + " is done, and would let go of its lock by then; name the method that does the work, or, where"
                    + " this one has done it when it returns, set " + Keys.DONE_ON_RETURN
                    + "=true for it in the configuration");
        }
    }

    /** What is worth a warning. */
    static Optional<String> caution(MethodDescription method, Spec spec) {
        if (!spec.doneOnReturn() && (isSuspend(method) || isAsynchronous(method) && !isAsync(method))) {
            return Optional.of("only what it does before it "
                    + (isSuspend(method) ? "suspends" : "returns its " + simple(method))
                    + ", on the calling thread, is covered");
        }
        if (method.isSynchronized() && spec.locks()) {
            return Optional.of(
                    "it is synchronized, so threads of this JVM wait for each other while one of them waits for"
                            + " the lock");
        }
        return Optional.empty();
    }

    private static boolean isSuspend(MethodDescription method) {
        int last = method.getParameters().size() - 1;
        return last >= 0
                && method.getParameters()
                        .get(last)
                        .getType()
                        .asErasure()
                        .getName()
                        .equals("kotlin.coroutines.Continuation");
    }

    private static boolean isAsynchronous(MethodDescription method) {
        return isAsynchronous(method.getReturnType().asErasure());
    }

    private static boolean isAsynchronous(TypeDescription type) {
        if (ASYNCHRONOUS.contains(type.getName())) {
            return true;
        }
        if (type.isPrimitive() || type.isArray()) {
            return false;
        }
        try {
            TypeDescription.Generic parent = type.getSuperClass();
            return parent != null && isAsynchronous(parent.asErasure())
                    || type.getInterfaces().asErasures().stream().anyMatch(Weavable::isAsynchronous);
        } catch (IllegalStateException e) {
            return false; // its class file is not to be had, so nothing but its name is known
        }
    }

    private static boolean isAsync(MethodDescription method) {
        return COMPLETED_BY_THEN.contains(method.getReturnType().asErasure().getName())
                && method.getDeclaredAnnotations().stream()
                        .anyMatch(annotation ->
                                annotation.getAnnotationType().getName().equals(ASYNC));
    }

    private static String simple(MethodDescription method) {
        String name = method.getReturnType().asErasure().getName();
        return name.substring(name.lastIndexOf('.') + 1);
    }
}
