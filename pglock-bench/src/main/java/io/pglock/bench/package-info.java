// SPDX-License-Identifier: Apache-2.0
/** Benchmarks of pglock against its peers and against plain JDBC. */
@NullMarked
package io.pglock.bench;

import org.jspecify.annotations.NullMarked;
