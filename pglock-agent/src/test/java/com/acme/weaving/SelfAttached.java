// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import static com.acme.weaving.Db.lockTimeout;
import static com.acme.weaving.Db.say;

import io.pglock.agent.PgLockAgent;
import java.sql.SQLException;

/** An application that brings the agent itself. */
public final class SelfAttached {

    private SelfAttached() {}

    public static void main(String[] arguments) throws SQLException {
        Db.open(arguments);
        say("before", work());
        try {
            PgLockAgent.attach("prioritize=off;target=com.acme.weaving.SelfAttached#work;lockTimeout=1111ms");
            say("attached", work());
            PgLockAgent.attach("target=com.acme.weaving.SelfAttached#work;lockTimeout=2222ms");
            say("attached twice", work());
        } catch (IllegalStateException e) {
            say("refused", e.getMessage());
        }
        say("outside", lockTimeout());
        say("done", "");
    }

    private static String work() {
        return lockTimeout();
    }
}
