// SPDX-License-Identifier: Apache-2.0
/** Small applications that use pglock. */
@NullMarked
package io.pglock.examples;

import org.jspecify.annotations.NullMarked;
