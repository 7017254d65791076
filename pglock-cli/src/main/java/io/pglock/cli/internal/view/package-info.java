// SPDX-License-Identifier: Apache-2.0
/** How locks and sessions are shown. Not API. */
@NullMarked
package io.pglock.cli.internal.view;

import org.jspecify.annotations.NullMarked;
