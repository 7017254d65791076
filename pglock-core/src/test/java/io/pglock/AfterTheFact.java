// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Wraps a connection so that a statement that has worked reports a failure, as one does that is cancelled, or times out, in
 * the moment in which it is done: the race of a session lock, on demand.
 */
final class AfterTheFact {

    private final Connection wrapped;
    private final Deque<String> failures = new ArrayDeque<>();

    AfterTheFact(Connection connection) {
        this.wrapped = (Connection) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    Object result = call(connection, method, arguments);
                    return result instanceof PreparedStatement statement ? failing(statement) : result;
                });
    }

    Connection connection() {
        return wrapped;
    }

    /** The next statements work, and report these SQLSTATEs. */
    void reportNext(String... sqlStates) {
        failures.addAll(java.util.List.of(sqlStates));
    }

    private PreparedStatement failing(PreparedStatement statement) {
        return (PreparedStatement) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {PreparedStatement.class}, (proxy, method, arguments) -> {
                    Object result = call(statement, method, arguments);
                    if (method.getName().equals("execute") && !failures.isEmpty()) {
                        String sqlState = failures.remove();
                        throw new SQLException("canceled after the fact", sqlState);
                    }
                    return result;
                });
    }

    private static Object call(Object target, java.lang.reflect.Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
