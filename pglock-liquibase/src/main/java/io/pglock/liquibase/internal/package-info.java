// SPDX-License-Identifier: Apache-2.0
/** What Liquibase finds by its services. Not API. */
@NullMarked
package io.pglock.liquibase.internal;

import org.jspecify.annotations.NullMarked;
