// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

/**
 * The agent's SQL. Only SHOW and SET: a SELECT would freeze what a transaction of {@code REPEATABLE READ} sees, before the
 * application's own first statement.
 */
final class Sql {

    static final String LOCK_TIMEOUT = "lock_timeout";
    static final String STATEMENT_TIMEOUT = "statement_timeout";

    /** Inside a transaction, or where the driver begins one with it. */
    static final String ISOLATION = "show transaction_isolation";

    private Sql() {}

    static String show(String setting) {
        return "show " + setting;
    }

    /** For the session. */
    static String set(String setting, long millis) {
        return "set " + setting + " = " + millis;
    }

    /** For the transaction. */
    static String setLocal(String setting, long millis) {
        return "set local " + setting + " = " + millis;
    }
}
