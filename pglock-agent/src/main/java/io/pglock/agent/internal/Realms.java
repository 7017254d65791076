// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.agent.AgentLoader;
import java.lang.ref.WeakReference;
import java.lang.reflect.InvocationTargetException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** A realm for each class loader that has a driver; it goes when that goes. Thread-safe. */
final class Realms {

    private final Environment environment;
    private final Trouble trouble;
    private final Status status;
    private final List<WeakReference<Realm>> known = new CopyOnWriteArrayList<>();

    /** Kept in the driver's own class, so that nothing here keeps that. */
    private final ClassValue<Realm> ofClass = new ClassValue<>() {
        @Override
        protected Realm computeValue(Class<?> type) {
            return byLoader(type);
        }
    };

    Realms(Environment environment, Trouble trouble, Status status) {
        this.environment = environment;
        this.trouble = trouble;
        this.status = status;
    }

    /** Of one of the driver's classes. */
    Realm of(Class<?> ofDriver) {
        return ofClass.get(ofDriver);
    }

    /** All classes of one driver have one realm: that of its {@code Driver}. */
    private Realm byLoader(Class<?> type) {
        if (!type.getName().equals("org.postgresql.Driver")) {
            try {
                return of(Class.forName("org.postgresql.Driver", false, type.getClassLoader()));
            } catch (ClassNotFoundException | LinkageError | RuntimeException e) {
                return refusing(type, e);
            }
        }
        try {
            AgentLoader own = (AgentLoader) Objects.requireNonNull(Realms.class.getClassLoader());
            Realm realm = Class.forName(
                            "io.pglock.agent.internal.driver.DriverRealm",
                            true,
                            own.through(Objects.requireNonNull(type.getClassLoader())))
                    .asSubclass(Realm.class)
                    .getConstructor(Environment.class)
                    .newInstance(environment);
            known.removeIf(one -> one.get() == null);
            known.add(new WeakReference<>(realm));
            status.driver(realm.describe(), Optional.empty());
            return realm;
        } catch (InvocationTargetException e) {
            return refusing(type, e.getTargetException());
        } catch (ReflectiveOperationException | LinkageError | RuntimeException e) {
            return refusing(type, e); // the agent's jar may have been replaced meanwhile
        }
    }

    private Realm refusing(Class<?> type, Throwable why) {
        boolean itself = why instanceof RuntimeException && !(why instanceof ClassCastException);
        String message =
                "the PostgreSQL driver in " + type.getProtectionDomain().getCodeSource()
                        + (itself
                                ? " cannot be worked with, for the agent itself has failed, so nothing is protected on its connections"
                                : " is not one that pglock can work with (42.2 to 42.7 are), so nothing is protected on its connections");
        trouble.unwoven(message, why);
        status.driver(String.valueOf(type.getProtectionDomain().getCodeSource()), Optional.of(String.valueOf(why)));
        return new Refusing(message);
    }

    /**
     * The realm of the method's own driver, if that knows; the only one that does where the method has none. Another driver may be
     * that of another application, with another database, or of one that is gone.
     */
    Optional<Realm> whereToLock(Scope scope) {
        Optional<Realm> own = ofTheMethod(scope);
        if (own.isPresent()) {
            return own.filter(realm -> realm.knowsWhereToLock(scope));
        }
        List<Realm> able = known.stream()
                .map(WeakReference::get)
                .filter(Objects::nonNull)
                .filter(realm -> realm.knowsWhereToLock(scope))
                .toList();
        return able.size() == 1 ? Optional.of(able.get(0)) : Optional.empty();
    }

    /** Whether the settings say where its lock is taken. */
    static boolean hasMonitor(Scope scope) {
        return scope.site().spec().settings().containsKey("monitorUrl");
    }

    /** Of the driver that the method's own class would use, which may not have been used yet. */
    private Optional<Realm> ofTheMethod(Scope scope) {
        ClassLoader loader = scope.site().loader();
        if (loader == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(of(Class.forName("org.postgresql.Driver", false, loader)));
        } catch (ClassNotFoundException e) {
            return Optional.empty();
        }
    }

    /** For a driver that is not understood: no lock is taken, so none is pretended. */
    private record Refusing(String why) implements Realm {

        @Override
        public @Nullable Object before(Object executor, @Nullable Object what, int flags, @Nullable Scope scope) {
            if (scope != null && scope.site().spec().locks()) {
                scope.asksForLock();
                throw new IllegalStateException(scope + ": not locked, for " + why + ".");
            }
            return null;
        }

        @Override
        public void after(Object statement, @Nullable Object result, @Nullable Throwable thrown) {}

        @Override
        public void owns(Object connection, @Nullable Object executor) {}

        @Override
        public void connected(
                Object driver,
                @Nullable String url,
                @Nullable Properties properties,
                Object connection,
                @Nullable Scope scope) {}

        @Override
        public Part partOf(Scope scope) {
            throw new IllegalStateException(why);
        }

        @Override
        public boolean knowsWhereToLock(Scope scope) {
            return false;
        }

        @Override
        public String describe() {
            return why;
        }
    }
}
