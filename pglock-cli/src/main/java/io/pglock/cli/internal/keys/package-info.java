// SPDX-License-Identifier: Apache-2.0
/** Names for the numbers that advisory locks are on. Not API. */
@NullMarked
package io.pglock.cli.internal.keys;

import org.jspecify.annotations.NullMarked;
