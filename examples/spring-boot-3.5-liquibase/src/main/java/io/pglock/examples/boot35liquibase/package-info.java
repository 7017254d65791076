// SPDX-License-Identifier: Apache-2.0
/** A shop on Spring Boot 3.5, with Liquibase. */
@NullMarked
package io.pglock.examples.boot35liquibase;

import org.jspecify.annotations.NullMarked;
