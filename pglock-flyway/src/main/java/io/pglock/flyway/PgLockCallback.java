// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import io.pglock.LockGuard;
import io.pglock.LockPolicy;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.Optional;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.callback.Callback;
import org.flywaydb.core.api.callback.Context;
import org.flywaydb.core.api.callback.Event;
import org.flywaydb.core.api.configuration.Configuration;
import org.flywaydb.core.api.logging.Log;
import org.flywaydb.core.api.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/**
 * Puts a {@link LockGuard} around every migration. Flyway finds it through {@link PgLockDiscovery}; where that cannot be
 * (the jar is not on the class path that Flyway itself is on), name this class in {@code flyway.callbacks}.
 *
 * <p>Holds no state: what belongs to a migration is kept by its connection, so one object may serve many Flyways at once.
 * Thread-safe.
 */
public final class PgLockCallback implements Callback {

    static final String NAME = "pglock";

    private static final Log LOG = LogFactory.getLog(PgLockCallback.class);

    /** As Flyway needs it. */
    public PgLockCallback() {}

    /**
     * A callback that brings settings along, for a container whose beans become Flyway's callbacks, and for code that makes
     * Flyways by the dozen. {@link PgLockDiscovery} takes the settings over where a Flyway has none of its own, and puts
     * pglock there once; a Flyway that cannot discover pglock gets it by this object.
     *
     * {@snippet :
     * Callback pglock = PgLockCallback.with(Map.of("lockTimeout", "3s", "prioritize", "terminate"));
     * Flyway.configure().dataSource(tenant).callbacks(pglock).load().migrate();
     * }
     *
     * @param settings by key, without any prefix
     * @return an object of no class of ours: one compiled against any Flyway cannot be introspected beside every other.
     *     It is immutable and thread-safe
     * @throws IllegalArgumentException when a key does not exist or a value is not in the right form
     */
    public static Callback with(Map<String, String> settings) {
        return Settled.callback(settings);
    }

    @Override
    public String getCallbackName() {
        return NAME;
    }

    /** Transactional or not is the migration's own choice. */
    @Override
    public boolean canHandleInTransaction(Event event, Context context) {
        return true;
    }

    /**
     * As few events as possible: newer Flyways write a line to the log for each. So what is to be done for a statement is done
     * here, when Flyway asks before it runs one, and the answer is always no.
     */
    @Override
    public boolean supports(Event event, @Nullable Context context) {
        return switch (event.getId()) {
            case "beforeEachMigrate" -> context != null && LockGuard.serves(context.getConnection());
            case "afterEachMigrate", "afterEachMigrateError" -> run(context).isPresent();
            case "beforeEachMigrateStatement" -> {
                beforeStatement(context);
                yield false;
            }
            case "afterEachMigrateStatement" -> {
                run(context).ifPresent(MigrationRun::afterStatement);
                yield false;
            }
            case "afterMigrateError" -> {
                endAll(context);
                yield false;
            }
            default -> false;
        };
    }

    /**
     * Before a migration, whatever is wrong is thrown: nothing has happened yet. After it, nothing ever is: Flyway would undo
     * what succeeded, or show our exception instead of the migration's.
     */
    @Override
    public void handle(Event event, Context context) {
        switch (event.getId()) {
            case "beforeEachMigrate" -> before(context);
            case "afterEachMigrate" -> end(context, false);
            case "afterEachMigrateError" -> end(context, true);
            default -> throw new IllegalArgumentException("never asked for: " + event.getId());
        }
    }

    private void before(Context context) {
        asFlywaysOwn(() -> {
            LockPolicy policy = policy(context.getConfiguration());
            boolean onPaper =
                    context.getConfiguration().getDryRunOutput() != null; // nothing is to be run then, by nobody
            if (policy.enabled() && !onPaper) {
                Guards.begin(context.getConnection(), this, () -> MigrationRun.begin(context, policy));
            }
        });
    }

    private void beforeStatement(@Nullable Context context) {
        Optional<MigrationRun> run = run(context);
        if (context == null || run.isEmpty()) {
            return;
        }
        asFlywaysOwn(() -> run.get().beforeStatement(context));
    }

    /** What Flyway does not throw itself it does not report as a migration that failed. */
    private static void asFlywaysOwn(Runnable work) {
        try {
            work.run();
        } catch (FlywayException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new FlywayException(e.getMessage(), e);
        }
    }

    private void end(Context context, boolean failed) {
        try {
            Guards.take(context.getConnection(), this).ifPresent(run -> {
                if (failed) {
                    LatestFailure.keep(run);
                } else {
                    LatestFailure.passed(run);
                }
                run.end(failed);
            });
        } catch (RuntimeException e) {
            log(Level.WARNING, "not closed as it should be: " + e.getMessage());
        }
    }

    /**
     * What has failed without an event of its own, as when another callback throws after {@code beforeEachMigrate} has come to this
     * one. Its connection is still open, and is not to keep the settings.
     *
     * @param context before Flyway 11.15 none
     */
    private void endAll(@Nullable Context context) {
        Optional<Configuration> flyway = Optional.ofNullable(context).map(Context::getConfiguration);
        for (MigrationRun run : Guards.takeAll(this, flyway)) {
            try {
                run.end(true);
            } catch (RuntimeException e) {
                log(Level.WARNING, "not closed as it should be: " + e.getMessage());
            }
        }
    }

    private Optional<MigrationRun> run(@Nullable Context context) {
        return context == null ? Optional.empty() : Guards.of(context.getConnection(), this);
    }

    /** Read for every migration: a Java host may change its configuration until the migration begins. */
    @SuppressWarnings("deprecation") // getExact, its successor, is missing in Flyway 10.x and 11.7
    static LockPolicy policy(Configuration flyway) {
        @Nullable PgLockConfiguration settings = flyway.getPluginRegister().getPlugin(PgLockConfiguration.class);
        return settings == null ? LockPolicy.parse(Settled.settingsIn(flyway)) : settings.use();
    }

    static void log(Level level, String message) {
        String line = "pglock: " + message;
        switch (level) {
            case ERROR -> LOG.error(line);
            case WARNING -> LOG.warn(line);
            case INFO -> LOG.info(line);
            default -> LOG.debug(line);
        }
    }
}
