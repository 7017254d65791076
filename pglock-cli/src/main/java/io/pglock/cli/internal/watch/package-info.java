// SPDX-License-Identifier: Apache-2.0
/** The full screen of {@code pglock watch}. Not API. */
@NullMarked
package io.pglock.cli.internal.watch;

import org.jspecify.annotations.NullMarked;
