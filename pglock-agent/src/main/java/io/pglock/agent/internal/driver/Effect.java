// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import io.pglock.internal.SqlState;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.TransactionState;

/** Whether what a statement did can still be undone. Stateless. */
final class Effect {

    private Effect() {}

    /** Takes note, in doubt that it cannot. */
    static void note(ScopePart part, Session.Sent statement, TransactionState now, @Nullable Throwable thrown) {
        if (statement.commands().verb() == Verb.WORK) {
            part.scope().ranStatement();
        }
        if (lasts(statement, now, thrown)) {
            part.takesEffect();
        }
    }

    private static boolean lasts(Session.Sent statement, TransactionState now, @Nullable Throwable thrown) {
        Commands commands = statement.commands();
        boolean works = commands.verb() == Verb.WORK;
        boolean commits = commands.has(Verb.COMMIT) && (works || statement.before() == TransactionState.OPEN);
        boolean alone = works && statement.alone() && now == TransactionState.IDLE;
        if (thrown instanceof SQLException failure) {
            return commits && (commands.several() || SqlState.isConnectionLost(failure))
                    || alone && commands.mayFailHalfDone();
        }
        return commits || alone;
    }
}
