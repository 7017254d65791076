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
        if (statement.verb() == Verb.WORK) {
            part.scope().ranStatement();
        }
        if (now == TransactionState.IDLE && lasts(statement, thrown)) {
            part.takesEffect();
        }
    }

    private static boolean lasts(Session.Sent statement, @Nullable Throwable thrown) {
        if (thrown instanceof SQLException failure) {
            boolean lost = SqlState.isConnectionLost(failure);
            return statement.verb() == Verb.COMMIT && lost
                    || statement.alone() && statement.sql().contains(";");
        }
        return switch (statement.verb()) {
            case COMMIT -> statement.before() == TransactionState.OPEN;
            case WORK -> statement.alone();
            case NONE, BEGIN, ROLLBACK, CONTROL, SHOW_TIMEOUT -> false;
        };
    }
}
