// SPDX-License-Identifier: Apache-2.0
/**
 * The pages under {@code docs/} that say on which versions of a host, such as Flyway, what of pglock works: made of the reports of
 * a module's tests that were run on each of them.
 */
@NullMarked
package io.pglock.testkit.matrix;

import org.jspecify.annotations.NullMarked;
