// SPDX-License-Identifier: Apache-2.0
/** What works on the connections of one driver, in a class loader that sees it. Not API. */
@org.jspecify.annotations.NullMarked
package io.pglock.agent.internal.driver;
