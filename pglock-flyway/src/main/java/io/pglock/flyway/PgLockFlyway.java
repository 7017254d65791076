// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import io.pglock.LockGuard;
import io.pglock.LockPolicy;
import java.sql.SQLException;
import java.util.Optional;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.output.MigrateResult;

/**
 * Repeats a whole run of Flyway after a lock timeout or a deadlock. Migrations in SQL are tried again one by one without it;
 * this is for those that cannot be: Java migrations, {@code COPY ... FROM STDIN}, {@code group=true}, {@code batch=true},
 * Flyway before 10.7. Stateless, thread-safe.
 *
 * {@snippet :
 * PgLockFlyway.migrate(Flyway.configure().dataSource(dataSource).load());
 * }
 *
 * <p>For Spring Boot: {@code @Bean FlywayMigrationStrategy strategy() { return PgLockFlyway::migrate; }}
 */
public final class PgLockFlyway {

    private PgLockFlyway() {}

    /**
     * Migrates, and again, by {@code retryDeadline}, {@code retryAttempts} and so on, when a migration failed for a lock in the
     * transaction that it began in. One that has ended that itself, with a {@code COMMIT} or {@code connection.commit()}, is
     * not repeated, nor with {@code group=true} what comes after such a one, nor is one whose own settings say that it is not
     * tried again, or that has had all its attempts. What succeeded before it stays, as with any {@code migrate}. Nothing is held
     * between two runs, not even a connection.
     *
     * @return of the last run: it counts the migrations that were applied in that one
     * @throws FlywayException as the last run threw it; or when a setting is not in the right form
     */
    public static MigrateResult migrate(Flyway flyway) {
        return LockGuard.repeat(
                "migrate",
                policy(flyway),
                PgLockCallback::log,
                () -> {
                    LatestFailure.await(flyway.getConfiguration());
                    return flyway.migrate();
                },
                failure -> repeatable(flyway, failure));
    }

    private static LockPolicy policy(Flyway flyway) {
        try {
            return PgLockCallback.policy(flyway.getConfiguration());
        } catch (IllegalArgumentException e) {
            throw new FlywayException(e.getMessage(), e);
        }
    }

    private static Optional<SQLException> repeatable(Flyway flyway, RuntimeException failure) {
        boolean repeatable = LatestFailure.takeRepeatable(flyway.getConfiguration());
        return repeatable && failure instanceof FlywayException ? sqlCause(failure) : Optional.empty();
    }

    private static Optional<SQLException> sqlCause(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql) {
                return Optional.of(sql);
            }
        }
        return Optional.empty();
    }
}
