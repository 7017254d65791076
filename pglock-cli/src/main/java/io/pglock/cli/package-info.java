// SPDX-License-Identifier: Apache-2.0
/** The {@code pglock} command. */
@NullMarked
package io.pglock.cli;

import org.jspecify.annotations.NullMarked;
