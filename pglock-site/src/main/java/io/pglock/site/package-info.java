// SPDX-License-Identifier: Apache-2.0
/** Makes a static site of the pages under {@code docs/}. */
@NullMarked
package io.pglock.site;

import org.jspecify.annotations.NullMarked;
