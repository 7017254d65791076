// SPDX-License-Identifier: Apache-2.0
/** The agent: {@code -javaagent:pglock-agent.jar}. */
@org.jspecify.annotations.NullMarked
package io.pglock.agent;
