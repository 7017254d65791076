// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import io.pglock.LockGuard;
import io.pglock.LockPolicy;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.Optional;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.callback.Callback;
import org.flywaydb.core.api.callback.Context;
import org.flywaydb.core.api.callback.Event;
import org.flywaydb.core.api.callback.Statement;
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

    private static final Log LOG = LogFactory.getLog(PgLockCallback.class);

    private final LockPolicy withoutConfiguration;

    /** As Flyway needs it. */
    public PgLockCallback() {
        this(LockPolicy.defaults());
    }

    /** @param withoutConfiguration what holds in a Flyway that does not know {@link PgLockConfiguration} */
    PgLockCallback(LockPolicy withoutConfiguration) {
        this.withoutConfiguration = withoutConfiguration;
    }

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
        return "pglock";
    }

    /** Transactional or not is the migration's own choice. */
    @Override
    public boolean canHandleInTransaction(Event event, Context context) {
        return true;
    }

    /** As few events as possible: newer Flyways write a line to the log for each. */
    @Override
    public boolean supports(Event event, @Nullable Context context) {
        return switch (event.getId()) {
            case "beforeEachMigrate" -> context != null && LockGuard.serves(context.getConnection());
            case "afterEachMigrate", "afterEachMigrateError" -> guard(context).isPresent();
            case "beforeEachMigrateStatement" ->
                guard(context).filter(guard -> guard.concerns(sql(context))).isPresent();
            case "afterEachMigrateStatement", "afterEachMigrateStatementError" ->
                guard(context).filter(LockGuard::insideStatement).isPresent();
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
            case "afterEachMigrate" -> after(context, false);
            case "afterEachMigrateError" -> after(context, true);
            case "beforeEachMigrateStatement" -> guard(context).ifPresent(guard -> guard.beforeStatement(sql(context)));
            case "afterEachMigrateStatement", "afterEachMigrateStatementError" ->
                guard(context).ifPresent(LockGuard::afterStatement);
            default -> throw new IllegalArgumentException("never asked for: " + event.getId());
        }
    }

    private void before(Context context) {
        Guards.open(context.getConnection(), () -> {
            Configuration flyway = context.getConfiguration();
            LockPolicy policy = policy(flyway);
            return policy.enabled()
                    ? Optional.of(LockGuard.open(
                            unit(context.getMigrationInfo()),
                            context.getConnection(),
                            flyway.getDataSource(),
                            policy,
                            PgLockCallback::log))
                    : Optional.empty();
        });
    }

    private static void after(Context context, boolean failed) {
        try {
            Guards.take(context.getConnection()).ifPresent(guard -> {
                try {
                    if (failed) {
                        guard.failed().ifPresent(text -> log(Level.ERROR, text));
                    }
                } finally {
                    guard.close();
                }
            });
        } catch (RuntimeException e) {
            log(Level.WARNING, "not closed as it should be: " + e.getMessage());
        }
    }

    private static Optional<LockGuard> guard(@Nullable Context context) {
        return context == null ? Optional.empty() : Guards.of(context.getConnection());
    }

    /** Read for every migration: a Java host may change its configuration until the migration begins. */
    @SuppressWarnings("deprecation") // getExact, its successor, is missing in Flyway 10.x and 11.7
    private LockPolicy policy(Configuration flyway) {
        @Nullable PgLockConfiguration settings = flyway.getPluginRegister().getPlugin(PgLockConfiguration.class);
        return settings == null ? withoutConfiguration : settings.policy();
    }

    private static String unit(@Nullable MigrationInfo migration) {
        return migration == null ? "migration" : migration.getScript();
    }

    private static String sql(@Nullable Context context) {
        @Nullable Statement statement = context == null ? null : context.getStatement();
        return statement == null || statement.getSql() == null ? "" : statement.getSql();
    }

    private static void log(Level level, String message) {
        String line = "pglock: " + message;
        switch (level) {
            case ERROR -> LOG.error(line);
            case WARNING -> LOG.warn(line);
            case INFO -> LOG.info(line);
            default -> LOG.debug(line);
        }
    }
}
