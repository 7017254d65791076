// SPDX-License-Identifier: Apache-2.0
/** Which locks the statements of a file take, on what and for how long. Not API. */
@NullMarked
package io.pglock.cli.internal.trace;

import org.jspecify.annotations.NullMarked;
