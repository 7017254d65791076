// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;

/**
 * Which transaction of Spring's is open on a thread. The driver does not know it before the first statement: until then Spring
 * has told the connection no more than that it is not in autocommit. Thread-safe.
 */
final class SpringTransactions {

    /** Where Spring keeps them. */
    static final String MANAGER = "org.springframework.transaction.support.TransactionSynchronizationManager";

    private static final String SYNCHRONIZATION = "org.springframework.transaction.support.TransactionSynchronization";

    /** {@code Ordered.LOWEST_PRECEDENCE}: after all others. */
    private static final int LAST = Integer.MAX_VALUE;

    /** Kept in Spring's own class, so that nothing here keeps that. */
    private static final ClassValue<SpringTransactions> OF_MANAGER = new ClassValue<>() {
        @Override
        protected SpringTransactions computeValue(Class<?> manager) {
            try {
                return new SpringTransactions(manager);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("this version of Spring is not understood: " + e, e);
            }
        }
    };

    private final Class<?> synchronization;
    private final MethodHandle isActive;
    private final MethodHandle isSynchronized;
    private final MethodHandle register;
    /** Those that are known; of each Spring, and gone with it. */
    @SuppressWarnings("ThreadLocalUsage")
    private final ThreadLocal<@Nullable CallersTransaction> current = new ThreadLocal<>();

    private SpringTransactions(Class<?> manager) throws ReflectiveOperationException {
        MethodHandles.Lookup lookup = MethodHandles.publicLookup();
        MethodType question = MethodType.methodType(boolean.class);
        synchronization = Class.forName(SYNCHRONIZATION, false, manager.getClassLoader());
        isActive = lookup.findStatic(manager, "isActualTransactionActive", question);
        isSynchronized = lookup.findStatic(manager, "isSynchronizationActive", question);
        register = lookup.findStatic(
                manager, "registerSynchronization", MethodType.methodType(void.class, synchronization));
    }

    /**
     * The one that is open on this thread now, the same for each method that begins in it; null where there is none, and where the
     * method's class sees no Spring.
     *
     * @throws RuntimeException when Spring is not understood
     */
    static @Nullable CallersTransaction open(Site site, AgentLog log) {
        Class<?> manager = site.springsTransactions();
        return manager == null ? null : OF_MANAGER.get(manager).open(log);
    }

    private @Nullable CallersTransaction open(AgentLog log) {
        try {
            if (!(boolean) isActive.invokeExact()) {
                return null;
            }
            CallersTransaction known = current.get();
            if (known != null && !known.isOver()) {
                return known;
            }
            if (!(boolean) isSynchronized.invokeExact()) {
                return null; // it is as good as over
            }
            CallersTransaction found = new CallersTransaction(log);
            register.invoke(Proxy.newProxyInstance(
                    synchronization.getClassLoader(),
                    new Class<?>[] {synchronization},
                    (proxy, method, arguments) -> told(found, proxy, method, arguments)));
            current.set(found);
            return found;
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** What Spring tells of a transaction: other versions of it tell more, and of that nothing is heeded. */
    private @Nullable Object told(
            CallersTransaction transaction, Object proxy, Method method, Object @Nullable [] arguments) {
        switch (method.getName()) {
            case "suspend" -> {
                transaction.suspended();
                current.remove();
            }
            case "resume" -> {
                transaction.resumed();
                current.set(transaction);
            }
            case "beforeCommit" -> transaction.commits();
            case "afterCompletion" -> {
                if (current.get() == transaction) {
                    current.remove();
                }
                transaction.ended();
            }
            case "getOrder" -> {
                return LAST;
            }
            case "equals" -> {
                return arguments != null && proxy == arguments[0];
            }
            case "hashCode" -> {
                return System.identityHashCode(proxy);
            }
            case "toString" -> {
                return "pglock";
            }
            default -> {
                // nothing to do
            }
        }
        return null;
    }
}
