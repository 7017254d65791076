// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockGuard;
import java.lang.System.Logger.Level;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import liquibase.Scope;
import liquibase.integration.IntegrationDetails;
import liquibase.logging.LogService;
import liquibase.logging.Logger;
import liquibase.ui.ConsoleUIService;
import org.jspecify.annotations.Nullable;

/**
 * Where Liquibase says things: its log and, on its command line, the console, which alone is seen at the log level that it has by
 * default. Both as they are when this is made: the watch has no scope of Liquibase's. Thread-safe.
 */
final class ChangeSetLog implements LockGuard.Messages {

    /** What Liquibase logs, with a stack trace, for each attempt that fails. */
    private static final String ENCOUNTERED = "encountered an exception";

    private final Logger log = Scope.getCurrentScope().getLog(ChangeSetLog.class);
    private final Optional<ConsoleUIService> console =
            onTheCommandLine() ? Optional.of(new ConsoleUIService()) : Optional.empty();

    /** Elsewhere whoever sees the console sees the log in it. */
    private static boolean onTheCommandLine() {
        @Nullable IntegrationDetails integration =
                Scope.getCurrentScope().get(Scope.Attr.integrationDetails, IntegrationDetails.class);
        return integration != null && "cli".equals(integration.getName());
    }

    @Override
    public void message(Level level, String message) {
        String line = "pglock: " + message;
        switch (level) {
            case ERROR -> log.severe(line);
            case WARNING -> log.warning(line);
            case INFO -> log.info(line);
            default -> log.fine(line);
        }
        if (level.getSeverity() >= Level.INFO.getSeverity()) {
            console.ifPresent(
                    screen -> screen.sendErrorMessage(line)); // standard error: the other may be somebody's input
        }
    }

    /**
     * For a scope in which a failure that is followed by another attempt does not look as if it were the end.
     *
     * @param followed by another attempt, when it has failed with this
     */
    static Map<String, Object> quiet(Predicate<Throwable> followed) {
        LogService service = Scope.getCurrentScope().get(Scope.Attr.logService, LogService.class);
        return Map.of(Scope.Attr.logService.name(), quiet(service, followed));
    }

    private static LogService quiet(LogService service, Predicate<Throwable> followed) {
        return (LogService) Proxy.newProxyInstance(
                ChangeSetLog.class.getClassLoader(), new Class<?>[] {LogService.class}, (self, method, arguments) -> {
                    Object result = call(() -> method.invoke(service, arguments));
                    return result instanceof Logger logger ? quiet(logger, followed) : result;
                });
    }

    private static Logger quiet(Logger logger, Predicate<Throwable> followed) {
        return (Logger) Proxy.newProxyInstance(
                ChangeSetLog.class.getClassLoader(), new Class<?>[] {Logger.class}, (self, method, arguments) -> {
                    if (method.getName().equals("severe")
                            && arguments.length == 2
                            && String.valueOf(arguments[0]).contains(ENCOUNTERED)
                            && followed.test((Throwable) arguments[1])) {
                        logger.fine(String.valueOf(arguments[0]), (Throwable) arguments[1]);
                        return null;
                    }
                    return call(() -> method.invoke(logger, arguments));
                });
    }

    @FunctionalInterface
    private interface Reflective {
        Object call() throws ReflectiveOperationException;
    }

    private static Object call(Reflective method) throws Throwable {
        try {
            return method.call();
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
