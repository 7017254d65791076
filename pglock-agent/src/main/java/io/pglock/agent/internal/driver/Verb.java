// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import io.pglock.SqlCommand;
import java.util.regex.Pattern;

/** What a command does, as far as that matters to the scope that it is in; of several what comes last here. */
enum Verb {
    /** Nothing: how pools ask whether a connection lives. */
    NONE,
    /** Begins a transaction. */
    BEGIN,
    /** Ends one, for good. */
    COMMIT,
    /** Ends one, or goes back to a savepoint. */
    ROLLBACK,
    /** About the session or the transaction itself: it neither waits nor has an effect on data. */
    CONTROL,
    /** Asks for a timeout, and is to be told the one that is in force for what comes. */
    SHOW_TIMEOUT,
    /** Everything else. */
    WORK;

    private static final Pattern PROBE = Pattern.compile("select ['\\d]\\w*'?\\s*;?");

    static Verb of(String sql) {
        SqlCommand command = SqlCommand.of(sql);
        String words = command.words();
        String first = words.split("[^a-z]", 2)[0];
        return switch (first) {
            case "" -> words.isEmpty() || words.equals(";") ? NONE : WORK;
            case "begin", "start" -> BEGIN;
            case "commit", "end" -> words.startsWith("commit prepared") ? WORK : COMMIT;
            case "prepare" -> words.startsWith("prepare transaction") ? COMMIT : CONTROL;
            case "rollback", "abort" -> words.startsWith("rollback prepared") ? WORK : ROLLBACK;
            case "show" -> words.contains("timeout") || words.startsWith("show all") ? SHOW_TIMEOUT : CONTROL;
            case "set", "reset", "discard", "savepoint", "release", "deallocate", "listen", "unlisten" -> CONTROL;
            case "select" -> PROBE.matcher(words).matches() ? NONE : WORK;
            default -> WORK;
        };
    }
}
