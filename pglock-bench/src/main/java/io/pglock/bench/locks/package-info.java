// SPDX-License-Identifier: Apache-2.0
/** Locks of pglock and of its peers, taken by many threads in several JVMs. */
@NullMarked
package io.pglock.bench.locks;

import org.jspecify.annotations.NullMarked;
