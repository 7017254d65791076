// SPDX-License-Identifier: Apache-2.0
/** What woven code calls. Not API. */
@org.jspecify.annotations.NullMarked
package io.pglock.agent.bridge;
