// SPDX-License-Identifier: Apache-2.0
/** A shop on Spring Boot 4.1, with Liquibase. */
@NullMarked
package io.pglock.examples.boot41liquibase;

import org.jspecify.annotations.NullMarked;
