// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Settings of pglock for one Java migration, on top of those of the whole Flyway; what a leading {@code -- pglock:} comment is
 * to a migration in SQL.
 *
 * {@snippet :
 * @MigrationPolicy("lockTimeout=3s prioritize=off")
 * public class V7__Add_note extends BaseJavaMigration { ... }
 * }
 *
 * <p>What is misspelt fails the migration before it has done anything.
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface MigrationPolicy {

    /** The keys of {@link io.pglock.LockPolicy} with their values, {@code key=value}, separated by blanks. */
    String value();
}
