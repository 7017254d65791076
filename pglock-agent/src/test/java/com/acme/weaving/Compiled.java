// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import static com.acme.weaving.Db.lockTimeout;
import static com.acme.weaving.Db.say;

import io.pglock.annotation.WithLockTimeout;
import java.sql.SQLException;

/** An application that was compiled with pglock's annotations and runs without their classes. */
public final class Compiled {

    private Compiled() {}

    public static void main(String[] arguments) throws SQLException {
        Db.open(arguments);
        say("lock timeout", timeout());
        say("done", "");
    }

    @WithLockTimeout("1s")
    private static String timeout() {
        return lockTimeout();
    }
}
