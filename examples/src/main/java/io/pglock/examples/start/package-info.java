// SPDX-License-Identifier: Apache-2.0
/** The programs of the pages that begin with {@code docs/start-}. */
@NullMarked
package io.pglock.examples.start;

import org.jspecify.annotations.NullMarked;
