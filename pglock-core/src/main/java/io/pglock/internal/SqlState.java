// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.sql.SQLException;

/** The SQLSTATEs that pglock decides on. Not API. */
public final class SqlState {

    public static final String LOCK_NOT_AVAILABLE = "55P03";
    public static final String DEADLOCK_DETECTED = "40P01";
    public static final String INVALID_SAVEPOINT = "3B001";
    public static final String QUERY_CANCELED = "57014";
    public static final String CONNECTION_FAILURE = "08006";
    /** A class of states: no connections, no memory. */
    static final String INSUFFICIENT_RESOURCES = "53";

    public static final String INSUFFICIENT_PRIVILEGE = "42501";

    private static final String IDLE_IN_TRANSACTION = "25P03";
    private static final String TRANSACTION_TIMEOUT = "25P04";

    private SqlState() {}

    public static boolean is(SQLException failure, String sqlState) {
        return sqlState.equals(failure.getSQLState());
    }

    /**
     * The session is gone, and with it everything that it held: class 08, or the server's own goodbye (57P01..57P05, and for a
     * transaction that was idle, or open, for too long).
     */
    public static boolean isConnectionLost(SQLException failure) {
        String state = failure.getSQLState();
        return state != null
                && (state.startsWith("08")
                        || state.startsWith("57P")
                        || state.equals(IDLE_IN_TRANSACTION)
                        || state.equals(TRANSACTION_TIMEOUT));
    }
}
