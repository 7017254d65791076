// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Where this test passes, Liquibase is one with these capabilities; on a class, all its tests that do not say so themselves. */
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
@interface Proves {
    Capability[] value();
}
