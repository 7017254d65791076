// SPDX-License-Identifier: Apache-2.0
/**
 * What a method needs of PostgreSQL's locks, written on the method. The annotations do nothing by themselves: they are read by
 * the agent ({@code -javaagent:pglock-agent.jar}), which acts on the connections that the method uses.
 */
@NullMarked
package io.pglock.annotation;

import org.jspecify.annotations.NullMarked;
