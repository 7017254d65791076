// SPDX-License-Identifier: Apache-2.0
/** {@code pglock run}: a command that runs while a lock is held. Not API. */
@NullMarked
package io.pglock.cli.internal.run;

import org.jspecify.annotations.NullMarked;
