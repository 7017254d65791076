// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import io.pglock.LockKey;
import io.pglock.liquibase.internal.Attributes;
import io.pglock.liquibase.internal.Sql;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import liquibase.change.ChangeMetaData;
import liquibase.change.DatabaseChange;
import liquibase.change.DatabaseChangeProperty;
import liquibase.database.Database;
import org.jspecify.annotations.Nullable;

/**
 * {@code <pglock:advisoryLock>}: an advisory lock for the transaction of the changeset, so that it excludes an application that
 * takes the same one. The {@code key} is a name, which stands for the same number as in {@link LockKey#named} and in
 * django-pglock; the {@code id} is the number itself, or two of them.
 *
 * <p>In XML with the namespace {@code http://pglock.io/xml/ns/pglock}, in YAML and JSON as {@code advisoryLock}:
 *
 * <pre>{@code
 * <pglock:advisoryLock key="nightly-report" lockTimeout="10s"/>
 * }</pre>
 *
 * <p>Not thread-safe, as every change.
 *
 * @see <a href="https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS">Advisory Locks</a>
 */
@DatabaseChange(
        name = "advisoryLock",
        description = "Takes an advisory lock for the transaction of the changeset (pglock)",
        priority = ChangeMetaData.PRIORITY_DEFAULT)
public final class AdvisoryLockChange extends LockChange {

    private @Nullable String key;
    private @Nullable String id;
    private @Nullable Boolean shared;

    /** As Liquibase needs it. */
    public AdvisoryLockChange() {}

    /** The name of the lock. */
    @DatabaseChangeProperty(
            description = "The name of the lock, which stands for the same number as in pglock and django-pglock",
            exampleValue = "nightly-report",
            requiredForDatabase = NONE,
            supportsDatabase = POSTGRESQL)
    public @Nullable String getKey() {
        return key;
    }

    /** The name of the lock; not a number, for that is an {@code id}. */
    public void setKey(@Nullable String key) {
        this.key = key;
    }

    /** The number of the lock, or its two numbers. */
    @DatabaseChangeProperty(
            description = "The number of the lock (42), or its two numbers (7, 42)",
            exampleValue = "42",
            requiredForDatabase = NONE,
            supportsDatabase = POSTGRESQL)
    public @Nullable String getId() {
        return id;
    }

    /** The number of the lock, {@code 42}, or its two numbers, {@code 7, 42}. */
    public void setId(@Nullable String id) {
        this.id = id;
    }

    /** Whether it is held together with others in shared mode. */
    @DatabaseChangeProperty(
            description = "true: held together with others in shared mode, not with an exclusive one",
            exampleValue = "true",
            requiredForDatabase = NONE,
            supportsDatabase = POSTGRESQL)
    public @Nullable Boolean getShared() {
        return shared;
    }

    /** {@code true} for shared mode. */
    public void setShared(@Nullable Boolean shared) {
        this.shared = shared;
    }

    @Override
    Set<String> elements() {
        return Set.of();
    }

    @Override
    Set<String> flags() {
        return Set.of("shared");
    }

    @Override
    List<String> mistakes() {
        List<String> mistakes = new ArrayList<>();
        collect(mistakes, this::lockKey);
        return mistakes;
    }

    private LockKey lockKey() {
        return Attributes.key(key, id);
    }

    @Override
    String sql(Database database) {
        return Sql.advisoryLock(lockKey(), Boolean.TRUE.equals(shared), lockWait());
    }

    @Override
    public String getDescription() {
        return getSerializedObjectName() + " " + (key == null ? id : key);
    }

    @Override
    public String getConfirmationMessage() {
        return (Boolean.TRUE.equals(shared) ? "Shared advisory lock " : "Advisory lock ") + lockKey()
                + " taken until the end of the transaction";
    }
}
