// SPDX-License-Identifier: Apache-2.0
/** Not API. */
@NullMarked
package io.pglock.spring.internal;

import org.jspecify.annotations.NullMarked;
