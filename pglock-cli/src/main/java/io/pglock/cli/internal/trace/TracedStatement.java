// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.trace;

import io.pglock.cli.internal.script.SqlStatement;
import java.time.Duration;
import java.util.List;

/**
 * What a statement did. Immutable. Not API.
 *
 * @param ran how long it took
 * @param sampled whether it ran outside of a transaction, and was looked at from outside again and again: what it held only for a
 *     moment may be missing
 * @param locks strongest first
 * @param rewritten relations from before whose rows were all written anew
 * @param created relations
 * @param dropped relations from before
 */
record TracedStatement(
        SqlStatement statement,
        Duration ran,
        boolean sampled,
        List<TracedLock> locks,
        List<Relation> rewritten,
        List<Relation> created,
        List<Relation> dropped) {}
