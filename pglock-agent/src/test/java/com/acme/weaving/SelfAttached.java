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
        String settings = "prioritize=off;target=com.acme.weaving.SelfAttached#work;lockTimeout=1111ms";
        PgLockAgent.attach(settings);
        say("attached", work());
        PgLockAgent.attach(settings);
        try {
            PgLockAgent.attach("target=com.acme.weaving.SelfAttached#work;lockTimeout=2222ms");
        } catch (IllegalStateException e) {
            say("attached otherwise", e.getMessage());
        }
        say("attached once more", work());
        say("outside", lockTimeout());
        say("done", "");
    }

    private static String work() {
        return lockTimeout();
    }
}
