// SPDX-License-Identifier: Apache-2.0
/** What it costs to look at a server's locks. */
@NullMarked
package io.pglock.bench.look;

import org.jspecify.annotations.NullMarked;
