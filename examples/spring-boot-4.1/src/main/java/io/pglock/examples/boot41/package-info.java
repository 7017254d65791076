// SPDX-License-Identifier: Apache-2.0
/** A shop on Spring Boot 4.1. */
@NullMarked
package io.pglock.examples.boot41;

import org.jspecify.annotations.NullMarked;
