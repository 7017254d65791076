// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import static com.acme.weaving.Db.say;

import java.lang.reflect.Field;

/** An application that calls one method over and over while the agent comes, and looks what that does to it meanwhile. */
public final class Restless {

    private static volatile boolean over;
    private static long guarded;
    private static long early;
    private static long threw;

    private Restless() {}

    public static void main(String[] arguments) throws Exception {
        Class.forName("org.postgresql.core.v3.QueryExecutorImpl");
        Thread caller = new Thread(Restless::callWithoutPause, "caller");
        caller.start();
        say("ready", "");
        int read = System.in.read();
        over = true;
        caller.join();
        say("guarded", guarded > 0);
        say("guarded while others could not know it", early);
        say("threw", threw);
        say("armed", armed());
        say("active", System.getProperty("io.pglock.agent.active"));
        say("done", read);
    }

    private static void callWithoutPause() {
        while (!over) {
            try {
                work();
            } catch (IllegalStateException e) {
                threw++;
            }
        }
    }

    private static void work() {
        if (armed() > 0) { // before the property is read: it is to be there by then
            guarded++;
            early += Boolean.getBoolean("io.pglock.agent.active") ? 0 : 1;
        }
    }

    /** Once the bridge is there. */
    private static int armed() {
        try {
            Field field = Class.forName("java.lang.PgLockBridge").getField("armed");
            return field.getInt(null);
        } catch (ReflectiveOperationException notYet) {
            return 0;
        }
    }
}
