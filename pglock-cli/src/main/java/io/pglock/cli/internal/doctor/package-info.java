// SPDX-License-Identifier: Apache-2.0
/** {@code pglock doctor}: what would stop pglock from working on a server. Not API. */
@NullMarked
package io.pglock.cli.internal.doctor;

import org.jspecify.annotations.NullMarked;
