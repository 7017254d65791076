// SPDX-License-Identifier: Apache-2.0
/** pglock around every migration that Flyway runs on PostgreSQL; found by being on the class path. */
@NullMarked
package io.pglock.flyway;

import org.jspecify.annotations.NullMarked;
