// SPDX-License-Identifier: Apache-2.0
/** What pglock is made of. Not API: may change or vanish with any release. */
@NullMarked
package io.pglock.internal;

import org.jspecify.annotations.NullMarked;
