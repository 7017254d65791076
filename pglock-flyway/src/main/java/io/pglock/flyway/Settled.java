// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import io.pglock.LockPolicy;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.Map;
import org.flywaydb.core.api.callback.Callback;
import org.flywaydb.core.api.configuration.Configuration;

/** What a callback is besides when it brings settings along. */
interface Settled {

    /** By key, without any prefix. */
    Map<String, String> settings();

    /** What the callbacks of a Flyway have brought along. */
    static Map<String, String> settingsIn(Configuration flyway) {
        return Arrays.stream(flyway.getCallbacks())
                .filter(Settled.class::isInstance)
                .map(callback -> ((Settled) callback).settings())
                .findFirst()
                .orElse(Map.of());
    }

    /**
     * A proxy: before Flyway 11.13 a class compiled against a later one has methods whose parameters do not exist, and a
     * container that introspects its beans fails on them.
     */
    static Callback callback(Map<String, String> settings) {
        LockPolicy.parse(settings);
        Map<String, String> copy = Map.copyOf(settings);
        PgLockCallback callback = new PgLockCallback();
        return (Callback) Proxy.newProxyInstance(
                Settled.class.getClassLoader(),
                new Class<?>[] {Callback.class, Settled.class},
                (self, method, arguments) -> {
                    if (method.getDeclaringClass() == Settled.class) {
                        return copy;
                    }
                    if (method.getName().equals("equals")) {
                        return self == arguments[0];
                    }
                    try {
                        return method.invoke(callback, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
