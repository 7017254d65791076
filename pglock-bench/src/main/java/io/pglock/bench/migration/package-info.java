// SPDX-License-Identifier: Apache-2.0
/**
 * What pglock costs migrations where nobody is in the way, and migration day: one changes a table that an application is using,
 * in all the ways that there are.
 */
@NullMarked
package io.pglock.bench.migration;

import org.jspecify.annotations.NullMarked;
