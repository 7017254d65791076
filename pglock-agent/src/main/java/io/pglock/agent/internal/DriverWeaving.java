// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.agent.internal.advice.CallAdvice;
import io.pglock.agent.internal.advice.ConnectAdvice;
import io.pglock.agent.internal.advice.ExitAdvice;
import io.pglock.agent.internal.advice.Flags;
import io.pglock.agent.internal.advice.OwnerAdvice;
import io.pglock.agent.internal.advice.StatementAdvice;
import io.pglock.agent.internal.advice.SuppressBegin;
import io.pglock.agent.internal.advice.TransactionAdvice;
import java.lang.annotation.Annotation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import net.bytebuddy.description.method.MethodDescription;
import net.bytebuddy.description.type.TypeDescription;
import org.jspecify.annotations.Nullable;

/**
 * What is woven into the driver, below every pool and proxy, and into Spring's transactions. The driver's methods are found by
 * what they take: from 42.2 to 42.7 only the number of their parameters has changed. Stateless.
 */
final class DriverWeaving {

    private static final String EXECUTOR = "org/postgresql/core/v3/QueryExecutorImpl";
    private static final String DRIVER = "org/postgresql/Driver";
    private static final String CONNECTION = "org/postgresql/jdbc/PgConnection";
    private static final String TRANSACTIONS = "org/springframework/transaction/interceptor/TransactionAspectSupport";
    private static final int FLAGS = 5;

    private DriverWeaving() {}

    static boolean concerns(String name) {
        return switch (name) {
            case EXECUTOR, DRIVER, CONNECTION, TRANSACTIONS -> true;
            default -> false;
        };
    }

    /** @throws IllegalArgumentException when a method that must be there is not */
    static byte[] weave(String name, @Nullable ClassLoader loader, byte[] file) {
        ClassFile original = new ClassFile(name, loader, file);
        return original.with(
                switch (name) {
                    case EXECUTOR -> executor(original.type());
                    case DRIVER -> List.of(advice(original.type(), "connect", 2, ConnectAdvice.class, Map.of()));
                    case CONNECTION ->
                        List.of(advice(original.type(), "getQueryExecutor", 0, OwnerAdvice.class, Map.of()));
                    default ->
                        List.of(ClassFile.Advised.between(
                                method(original.type(), "invokeWithinTransaction", 3),
                                TransactionAdvice.class,
                                ExitAdvice.class));
                });
    }

    private static List<ClassFile.Advised> executor(TypeDescription type) {
        List<ClassFile.Advised> advised = new ArrayList<>();
        for (String first : List.of("org.postgresql.core.Query", "org.postgresql.core.Query[]")) {
            advised.add(ClassFile.Advised.withArguments(
                    longest(type, "execute", first), StatementAdvice.class, Map.of(Flags.class, FLAGS)));
        }
        advised.add(advice(type, "startCopy", 2, CallAdvice.class, Map.of(SuppressBegin.class, 1)));
        advised.add(advice(type, "fastpathCall", 3, CallAdvice.class, Map.of(SuppressBegin.class, 2)));
        return advised;
    }

    /** The one that the others call. */
    private static MethodDescription.InDefinedShape longest(TypeDescription type, String name, String first) {
        return type.getDeclaredMethods().stream()
                .filter(method ->
                        method.getName().equals(name) && method.getParameters().size() > FLAGS)
                .filter(method ->
                        method.getParameters().get(0).getType().getActualName().equals(first))
                .filter(method -> method.getParameters().get(FLAGS).getType().represents(int.class))
                .max(Comparator.comparingInt(method -> method.getParameters().size()))
                .orElseThrow(() -> new IllegalArgumentException(
                        type.getName() + " has no " + name + "(" + first + ", ...): this driver is not understood"));
    }

    private static ClassFile.Advised advice(
            TypeDescription type,
            String name,
            int parameters,
            Class<?> advice,
            Map<Class<? extends Annotation>, Integer> arguments) {
        return ClassFile.Advised.withArguments(method(type, name, parameters), advice, arguments);
    }

    private static MethodDescription.InDefinedShape method(TypeDescription type, String name, int parameters) {
        return type.getDeclaredMethods().stream()
                .filter(method -> method.getName().equals(name)
                        && method.getParameters().size() == parameters
                        && !method.isAbstract()
                        && !method.isBridge())
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(type.getName() + " has no " + name + " with "
                        + parameters + " parameters: this version is not understood"));
    }
}
