// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import io.pglock.LockPolicy;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import org.flywaydb.core.api.callback.Callback;

/** What a callback is besides when it brings settings along. */
interface Settled {

    /** By key, without any prefix. */
    Map<String, String> settings();

    /**
     * A proxy: before Flyway 11.13 a class compiled against a later one has methods whose parameters do not exist, and a
     * container that introspects its beans fails on them.
     */
    static Callback callback(Map<String, String> settings) {
        Map<String, String> copy = Map.copyOf(settings);
        PgLockCallback callback = new PgLockCallback(LockPolicy.parse(copy));
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
