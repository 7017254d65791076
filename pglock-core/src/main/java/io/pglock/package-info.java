// SPDX-License-Identifier: Apache-2.0
/** PostgreSQL locks under control, on your own connection. */
@NullMarked
package io.pglock;

import org.jspecify.annotations.NullMarked;
