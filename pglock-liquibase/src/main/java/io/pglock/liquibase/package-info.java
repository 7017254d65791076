// SPDX-License-Identifier: Apache-2.0
/** Liquibase changesets under pglock's guard. On the class path of Liquibase it is on; there is nothing to call. */
@NullMarked
package io.pglock.liquibase;

import org.jspecify.annotations.NullMarked;
