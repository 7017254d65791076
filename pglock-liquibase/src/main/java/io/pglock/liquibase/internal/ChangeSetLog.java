// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockGuard;
import java.lang.System.Logger.Level;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import liquibase.Scope;
import liquibase.changelog.ChangeSet;
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

    /** Why what has failed for a lock is not run again. */
    static final String ENDED_ITS_TRANSACTION =
            "it has ended its transaction itself, and what it did before stays done";

    static final String MAY_HAVE_ENDED_ITS_TRANSACTION =
            "its Java may have ended its transaction itself, and what it did before would stay done";

    /** What Liquibase logs, with a stack trace, for each attempt that fails. */
    private static final String ENCOUNTERED = "encountered an exception";

    /** What it logs before it rolls back what a rollback has done. */
    private static final String ROLLBACK_FAILED = "rollback failed";

    /** What it logs with {@code failOnError="false"}, at {@code FINE}. */
    private static final String STACKTRACE = "Failure Stacktrace";

    private final Logger log = Scope.getCurrentScope().getLog(ChangeSetLog.class);
    private final Optional<ConsoleUIService> console =
            onTheCommandLine() ? Optional.of(new ConsoleUIService()) : Optional.empty();

    /** Elsewhere whoever sees the console sees the log in it. */
    private static boolean onTheCommandLine() {
        @Nullable IntegrationDetails integration = Scope.getCurrentScope().get("integrationDetails", IntegrationDetails.class);
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

    void notAgain(ChangeSet changeSet, String why) {
        message(Level.INFO, changeSet.toString(false) + ": not tried again, because " + why + ".");
    }

    /** Says why it has failed, and who was in the way; what it said. */
    Optional<String> explain(LockGuard guard, Exception failure) {
        Optional<String> text = SqlCauses.in(failure).map(guard::failed).orElseGet(guard::failed);
        text.ifPresent(said -> message(Level.ERROR, said));
        return text;
    }

    /**
     * For a scope in which a failure that is followed by another attempt does not look as if it were the end.
     *
     * @param run is told what it has failed for, as soon as Liquibase says that; not every one does so in the same place
     */
    static Map<String, Object> quiet(ChangeSetRun run) {
        LogService service = Scope.getCurrentScope().get(Scope.Attr.logService, LogService.class);
        return Map.of(Scope.Attr.logService.name(), quiet(service, run));
    }

    private static LogService quiet(LogService service, ChangeSetRun run) {
        return (LogService) Proxy.newProxyInstance(
                ChangeSetLog.class.getClassLoader(), new Class<?>[] {LogService.class}, (self, method, arguments) -> {
                    Object result = call(() -> method.invoke(service, arguments));
                    return result instanceof Logger logger && isOfChangeSets(arguments) ? quiet(logger, run) : result;
                });
    }

    private static boolean isOfChangeSets(Object[] arguments) {
        return arguments[0] instanceof Class<?> type && ChangeSet.class.isAssignableFrom(type);
    }

    private static Logger quiet(Logger logger, ChangeSetRun run) {
        return (Logger) Proxy.newProxyInstance(
                ChangeSetLog.class.getClassLoader(), new Class<?>[] {Logger.class}, (self, method, arguments) -> {
                    List<Object> said = arguments == null ? List.of() : Arrays.asList(arguments);
                    boolean severe = method.getName().equals("severe") || said.contains(java.util.logging.Level.SEVERE);
                    Optional<String> text = first(said, String.class);
                    Optional<String> message = text.filter(line -> line.contains(ENCOUNTERED));
                    Optional<Throwable> failure = first(said, Throwable.class);
                    if (message.isPresent() || text.filter(STACKTRACE::equals).isPresent()) {
                        failure.ifPresent(run::failedFor);
                    }
                    if (text.filter(line -> line.contains(ROLLBACK_FAILED)).isPresent()) {
                        run.rollbackFailed();
                    }
                    if (severe && message.isPresent() && run.isFollowed()) {
                        logger.fine(message.get(), failure.orElse(null));
                        return null;
                    }
                    return call(() -> method.invoke(logger, arguments));
                });
    }

    private static <T> Optional<T> first(List<Object> said, Class<T> type) {
        return said.stream().filter(type::isInstance).map(type::cast).findFirst();
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
