// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

/** Every statement of pglock-liquibase. Lower case; values are bound, names of tables are as Liquibase has escaped them. */
final class Sql {

    // ---- the changelog lock -----------------------------------------------------------------------------------------

    /**
     * The database, and the name of the lock. Which schema Liquibase says depends on its version: some say none where others
     * say {@code public}. So the server is asked which one is meant.
     */
    static final String CHANGELOG = """
            select current_database(), 'liquibase ' || quote_ident(coalesce(
                       (select nspname from pg_namespace where oid = to_regnamespace(nullif(?, ''))), nullif(?, ''),
                       current_schema(), '')) || '.' || quote_ident(?)""";

    /**
     * To this value if it has that one now. Not there before PostgreSQL 14, and only 0 where the server's system cannot do it.
     */
    static final String CLIENT_CHECK = """
            select set_config('client_connection_check_interval', ?, false)
            where current_setting('client_connection_check_interval', true) = ?""";

    /** Until the end of the transaction: a look at a table that others may have locked. */
    static final String BRIEFLY = "set local lock_timeout = '1s'";

    static final String TABLE_EXISTS = "select to_regclass(?) is not null";

    private Sql() {}

    static String row(String table) {
        return "select coalesce(locked, false), coalesce(lockedby, ''), lockgranted from " + table + " where id = 1";
    }

    /** If it is free, or its holder's name is like that. */
    static String lockRow(String table) {
        return "update " + table + " set locked = true, lockgranted = now(), lockedby = ?"
                + " where id = 1 and (locked is not true or lockedby like ?)";
    }

    /** If that one holds it. */
    static String unlockRow(String table) {
        return "update " + table + " set locked = false, lockgranted = null, lockedby = null"
                + " where id = 1 and locked and coalesce(lockedby, '') = ?";
    }
}
