// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import java.io.Serial;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.SQLException;
import java.util.LinkedHashSet;
import java.util.Set;
import liquibase.change.Change;
import liquibase.changelog.visitor.ChangeExecListener;
import liquibase.exception.PreconditionErrorException;
import org.jspecify.annotations.Nullable;

/**
 * What Liquibase tells while it runs a changeset, heard on its way to the listener that is meant. A proxy, because Liquibases
 * differ in what they tell. Stateless.
 */
final class ChangeSetListener {

    /** A precondition that was not checked to the end: neither met nor not, and no case for {@code onError}. */
    static final class Unchecked extends RuntimeException {

        @Serial
        private static final long serialVersionUID = 1L;

        Unchecked(SQLException ended) {
            super("a precondition could not be checked: " + ended.getMessage(), ended);
        }
    }

    private ChangeSetListener() {}

    static ChangeExecListener of(@Nullable ChangeExecListener listener, ChangeSetRun run) {
        Set<Class<?>> types = new LinkedHashSet<>(Set.of(ChangeExecListener.class));
        for (Class<?> type = listener == null ? null : listener.getClass(); type != null; type = type.getSuperclass()) {
            types.addAll(Set.of(type.getInterfaces()));
        }
        ClassLoader loader = listener == null
                ? ChangeSetListener.class.getClassLoader()
                : listener.getClass().getClassLoader();
        return (ChangeExecListener) Proxy.newProxyInstance(
                loader, types.toArray(new Class<?>[0]), (self, method, arguments) -> {
                    hear(method, arguments == null ? new Object[0] : arguments, run);
                    return listener == null ? null : tell(listener, method, arguments);
                });
    }

    private static void hear(Method method, Object[] arguments, ChangeSetRun run) {
        if (method.getName().equals("willRun") && arguments[0] instanceof Change change) {
            run.beforeChange(change);
        } else if (method.getName().equals("ran") && arguments[0] instanceof Change change) {
            run.afterChange(change);
        } else if (method.getName().equals("preconditionErrored")
                && arguments[0] instanceof PreconditionErrorException errors) {
            SqlCauses.in(errors).filter(SqlCauses::isEnded).ifPresent(ended -> {
                run.failedFor(ended);
                throw new Unchecked(ended);
            });
        }
    }

    private static @Nullable Object tell(ChangeExecListener listener, Method method, @Nullable Object[] arguments)
            throws Throwable {
        try {
            return method.invoke(listener, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
