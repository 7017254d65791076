// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

/** Every statement of pglock-flyway; what scripts say is Flyway's. */
final class Sql {

    /** Any statement that is no query. */
    static final String NO_QUERY = "savepoint pglock_portal; release savepoint pglock_portal";

    /** Until the transaction ends. */
    static final String IDLE_AS_LONG_AS_IT_TAKES = "set local idle_in_transaction_session_timeout = 0";

    private Sql() {}
}
