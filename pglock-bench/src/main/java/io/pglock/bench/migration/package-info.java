// SPDX-License-Identifier: Apache-2.0
/**
 * Migration day: one migration of a table that an application is using, done in all the ways that there are, and what each of
 * them costs the others.
 */
@NullMarked
package io.pglock.bench.migration;

import org.jspecify.annotations.NullMarked;
