// SPDX-License-Identifier: Apache-2.0
/**
 * Benchmarks of pglock against its peers and against plain JDBC: a room for each subject, and here what they all need.
 */
@NullMarked
package io.pglock.bench;

import org.jspecify.annotations.NullMarked;
