// SPDX-License-Identifier: Apache-2.0
package io.pglock.contract;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;

/** A connection that is not closed by closing it, as a pool's: what was done to it can be looked at afterwards. */
final class KeptOpen {

    private KeptOpen() {}

    static Connection of(Connection connection) {
        return (Connection) Proxy.newProxyInstance(
                KeptOpen.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("close")) {
                        return null;
                    }
                    try {
                        return method.invoke(connection, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
