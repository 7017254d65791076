// SPDX-License-Identifier: Apache-2.0
/** A shop on Spring Boot 3.5. */
@NullMarked
package io.pglock.examples.boot35;

import org.jspecify.annotations.NullMarked;
