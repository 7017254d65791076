// SPDX-License-Identifier: Apache-2.0
/** What the {@code pglock} command is made of: a class for each command, and a package for what they stand on. Not API. */
@NullMarked
package io.pglock.cli.internal;

import org.jspecify.annotations.NullMarked;
