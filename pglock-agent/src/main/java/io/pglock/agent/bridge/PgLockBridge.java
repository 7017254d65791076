// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.bridge;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * What woven code calls. In the agent's jar this class is {@code java.lang.PgLockBridge}: the one place that every class
 * loader sees, an OSGi bundle's too. Types of java.base only. Thread-safe.
 */
public final class PgLockBridge {

    /** How much there is to do for statements: open scopes, and sessions with something to put back. Mostly none. */
    public static volatile int armed;

    private static final VarHandle ARMED;

    static {
        try {
            ARMED = MethodHandles.lookup().findStaticVarHandle(PgLockBridge.class, "armed", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static volatile @Nullable Hooks hooks;

    private PgLockBridge() {}

    /** What the agent does there; nothing of it throws, except where it says so. */
    public interface Hooks {

        /** A woven method begins; null where there is nothing to do. */
        @Nullable Call enter(int site);

        /** It has ended. Whether to run it once more. */
        boolean exit(Call call, @Nullable Throwable thrown);

        /** Spring begins a transaction around a method; null where that is not woven. */
        @Nullable Call enterTransaction(Object method, @Nullable Object target);

        /**
         * A statement is about to go out.
         *
         * @param what a query, several, or the text of one
         * @param flags of the driver
         * @return what {@link #after} is to be given; null where there is nothing to do
         * @throws Throwable instead of the statement
         */
        @Nullable Object before(Object executor, @Nullable Object what, int flags) throws Throwable;

        /** It has been done, or not. */
        void after(Object statement, @Nullable Object result, @Nullable Throwable thrown);

        /** This executor is this connection's. */
        void owns(Object connection, @Nullable Object executor);

        /**
         * A driver has opened a connection.
         *
         * @throws Throwable instead of handing it out
         */
        void connected(Object driver, @Nullable String url, @Nullable Properties properties, Object connection)
                throws Throwable;

        /**
         * The agent is asked to come a second time.
         *
         * @return what is said about that
         * @throws IllegalStateException when it is asked for what it does not do
         */
        String again(@Nullable String arguments);
    }

    /** One call of a woven method, from its beginning to its end. */
    public abstract static class Call {
        /** The body is not to run. */
        public boolean skipped;

        /** What follows here is what the method returns or throws, whatever its body did. */
        public boolean replaced;

        public @Nullable Object value;
        public @Nullable Throwable thrown;

        protected Call() {}
    }

    /** In one step: threads begin and end scopes at the same time. */
    public static void arm(int more) {
        ARMED.getAndAdd(more);
    }

    public static void install(Hooks given) {
        hooks = given;
    }

    public static String again(@Nullable String arguments) {
        Hooks there = hooks;
        if (there == null) {
            throw new IllegalStateException(
                    "pglock: the agent has come to this JVM before and could not start, as was said then;"
                            + " it protects nothing. Start this JVM anew");
        }
        return there.again(arguments);
    }

    public static @Nullable Call enter(int site) {
        Hooks there = hooks;
        return there == null ? null : there.enter(site);
    }

    public static boolean exit(Call call, @Nullable Throwable thrown) {
        Hooks there = hooks;
        return there != null && there.exit(call, thrown);
    }

    public static @Nullable Call enterTransaction(Object method, @Nullable Object target) {
        Hooks there = hooks;
        return there == null ? null : there.enterTransaction(method, target);
    }

    public static @Nullable Object before(Object executor, @Nullable Object what, int flags) throws Throwable {
        Hooks there = hooks;
        return there == null ? null : there.before(executor, what, flags);
    }

    public static void after(Object statement, @Nullable Object result, @Nullable Throwable thrown) {
        Hooks there = hooks;
        if (there != null) {
            there.after(statement, result, thrown);
        }
    }

    public static void owns(Object connection, @Nullable Object executor) {
        Hooks there = hooks;
        if (there != null) {
            there.owns(connection, executor);
        }
    }

    public static void connected(
            Object driver, @Nullable String url, @Nullable Properties properties, Object connection) throws Throwable {
        Hooks there = hooks;
        if (there != null) {
            there.connected(driver, url, properties, connection);
        }
    }
}
