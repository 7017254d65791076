// SPDX-License-Identifier: Apache-2.0
/** The agent, in a class loader of its own. Not API. */
@org.jspecify.annotations.NullMarked
package io.pglock.agent.internal;
