// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import static com.acme.weaving.Db.say;

import java.sql.SQLException;

/** A small application whose methods say what is in force in them. */
public final class Plain {

    private Plain() {}

    public static void main(String[] arguments) throws SQLException {
        Db.open(arguments);
        say("one", one());
        say("two", two());
        say("three", three());
        say("four", four());
        say("five", five());
        say("six", six());
        say("excluded", Excluded.method());
        say("outside", inForce());
        say("active", System.getProperty("io.pglock.agent.active"));
        say("bridge", hasBridge());
        say("done", "");
    }

    private static String inForce() throws SQLException {
        return Db.current("lock_timeout") + " " + Db.current("statement_timeout");
    }

    private static String one() throws SQLException {
        return inForce();
    }

    private static String two() throws SQLException {
        return inForce();
    }

    private static String three() throws SQLException {
        return inForce();
    }

    private static String four() throws SQLException {
        return inForce();
    }

    private static String five() throws SQLException {
        return inForce();
    }

    private static String six() throws SQLException {
        return inForce();
    }

    private static final class Excluded {
        static String method() throws SQLException {
            return inForce();
        }
    }

    private static boolean hasBridge() {
        try {
            Class.forName("java.lang.PgLockBridge", false, null);
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }
}
