// SPDX-License-Identifier: Apache-2.0
/** Cancelling and terminating: who is meant, asking first, and what came of it. Not API. */
@NullMarked
package io.pglock.cli.internal.signal;

import org.jspecify.annotations.NullMarked;
