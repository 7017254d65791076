// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.run;

/** What becomes of the command when its lock is lost. Not API. */
public enum OnLost {
    /** It is told to end, and killed when it has not done so in time. */
    STOP,
    /** It goes on; a word about it is said. */
    WARN,
    /** It is killed at once. */
    KILL
}
