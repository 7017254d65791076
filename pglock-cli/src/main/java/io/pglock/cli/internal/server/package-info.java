// SPDX-License-Identifier: Apache-2.0
/** Which server, as whom: the command line, a profile, libpq's environment and files. Not API. */
@NullMarked
package io.pglock.cli.internal.server;

import org.jspecify.annotations.NullMarked;
