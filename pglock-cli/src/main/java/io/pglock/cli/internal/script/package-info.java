// SPDX-License-Identifier: Apache-2.0
/** SQL files: cut into statements, and run under the guard. Not API. */
@NullMarked
package io.pglock.cli.internal.script;

import org.jspecify.annotations.NullMarked;
