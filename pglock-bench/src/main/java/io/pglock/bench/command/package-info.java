// SPDX-License-Identifier: Apache-2.0
/** How long the {@code pglock} command takes. */
@NullMarked
package io.pglock.bench.command;

import org.jspecify.annotations.NullMarked;
