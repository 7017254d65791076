// SPDX-License-Identifier: Apache-2.0
/** pglock in Spring Boot: its settings stand under {@code pglock.} in the application's own properties. */
@NullMarked
package io.pglock.spring;

import org.jspecify.annotations.NullMarked;
