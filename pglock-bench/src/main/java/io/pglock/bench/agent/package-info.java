// SPDX-License-Identifier: Apache-2.0
/** What the agent costs an application: its calls, its statements, its start. */
@NullMarked
package io.pglock.bench.agent;

import org.jspecify.annotations.NullMarked;
