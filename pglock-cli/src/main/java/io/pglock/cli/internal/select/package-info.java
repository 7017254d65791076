// SPDX-License-Identifier: Apache-2.0
/** Which locks, in which order, and what there is to know of each: attributes, filters, sorting. Not API. */
@NullMarked
package io.pglock.cli.internal.select;

import org.jspecify.annotations.NullMarked;
