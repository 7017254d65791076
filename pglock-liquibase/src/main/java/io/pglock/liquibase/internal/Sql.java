// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockKey;
import io.pglock.LockMode;
import io.pglock.LockPolicy;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Every statement of pglock-liquibase. Lower case, bound or quoted, never pasted; tables are named as Liquibase has escaped them. Not API. */
public final class Sql {

    private Sql() {}

    // ---- change types: they run as update-sql prints them, so nothing in them can be bound -------------------------

    /** What was there before is kept in a setting of the transaction: a guard around it has its own {@code lock_timeout}. */
    private static final String LOCK_TABLE_TIMED = """
            select set_config('pglock.before_lock_table', current_setting('lock_timeout'), true),
                   set_config('lock_timeout', '<timeout>', true);
            <lock>;
            select set_config('lock_timeout', current_setting('pglock.before_lock_table'), true)""";

    private static final String ADVISORY_LOCK_TIMED = """
            with before as (
                select current_setting('lock_timeout') as value, set_config('lock_timeout', '<timeout>', true)
            ), locked as (
                select value, <lock> from before
            )
            select set_config('lock_timeout', value, true) from locked""";

    /** Not acquired is what {@code NOWAIT} is to a table: an error with the SQLSTATE of a lock timeout. */
    private static final String ADVISORY_LOCK_NO_WAIT = """
            do <quote>
            begin
                if not <lock> then
                    raise exception using errcode = '55P03', message = <message> || coalesce((
                        select ', held by ' || string_agg(coalesce('pid ' || l.pid, 'a prepared transaction')
                                   || coalesce(' (' || nullif(concat_ws(', ', nullif(a.application_name, ''), a.state), '') || ')', ''), ' and ')
                        from pg_locks l left join pg_stat_activity a on a.pid = l.pid
                        where l.locktype = 'advisory' and l.granted and l.pid is distinct from pg_backend_pid()
                          and l.database = (select oid from pg_database where datname = current_database())
                          and l.classid::bigint = <class> and l.objid::bigint = <object> and l.objsubid = <sub>), '');
                end if;
            end <quote>""";

    /** @param names quoted */
    public static String lockTable(List<String> names, LockMode mode, boolean only, LockWait wait) {
        String tables = names.stream().map(name -> (only ? "only " : "") + name).collect(Collectors.joining(", "));
        String lock = "lock table " + tables + " in " + mode.sql().toLowerCase(Locale.ROOT) + " mode"
                + (wait.noWait() ? " nowait" : "");
        return wait.timeout()
                .map(timeout ->
                        LOCK_TABLE_TIMED.replace("<timeout>", setting(timeout)).replace("<lock>", lock))
                .orElse(lock);
    }

    public static String advisoryLock(LockKey key, boolean shared, LockWait wait) {
        String call = (shared ? "_shared" : "")
                + (key.isPair() ? "(" + key.first() + ", " + key.second() + ")" : "(" + key.number() + ")");
        if (wait.noWait()) {
            String message = literal(key + ": " + (shared ? "shared lock " : "") + "not acquired at once");
            return ADVISORY_LOCK_NO_WAIT
                    .replace("<lock>", "pg_try_advisory_xact_lock" + call)
                    .replace("<class>", Long.toString(key.classId()))
                    .replace("<object>", Long.toString(key.objId()))
                    .replace("<sub>", Integer.toString(key.objSubId()))
                    .replace("<quote>", dollarQuote(message))
                    .replace("<message>", message);
        }
        String lock = "pg_advisory_xact_lock" + call;
        return wait.timeout()
                .map(timeout -> ADVISORY_LOCK_TIMED
                        .replace("<timeout>", setting(timeout))
                        .replace("<lock>", lock))
                .orElse("select " + lock);
    }

    // ---- what a changeset begins with -------------------------------------------------------------------------------

    /** Until the end of the transaction, and without a snapshot, so that it can still be said what kind of transaction it is. */
    static List<String> timeouts(LockPolicy policy) {
        return Stream.of(
                        policy.statementTimeout()
                                .map(timeout -> "set local statement_timeout = '" + setting(timeout) + "'"),
                        policy.lockTimeout().map(timeout -> "set local lock_timeout = '" + setting(timeout) + "'"))
                .flatMap(Optional::stream)
                .toList();
    }

    /** As PostgreSQL reads it; a part of a millisecond counts as one. */
    private static String setting(Duration timeout) {
        long millis = timeout.plusNanos(999_999).toMillis();
        return millis % 1000 == 0 ? millis / 1000 + "s" : millis + "ms";
    }

    /** A string as an SQL literal, also where {@code standard_conforming_strings} is off. */
    private static String literal(String text) {
        String quoted = "'" + text.replace("'", "''").replace("\\", "\\\\") + "'";
        return text.indexOf('\\') < 0 ? quoted : "E" + quoted;
    }

    /** One that does not occur in the text. */
    private static String dollarQuote(String text) {
        String quote = "$pglock$";
        for (int i = 1; text.contains(quote); i++) {
            quote = "$pglock" + i + "$";
        }
        return quote;
    }

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

    static String row(String table) {
        return "select coalesce(locked, false), coalesce(lockedby, ''), lockgranted from " + table + " where id = 1";
    }

    /** If it is free, or its holder's name is like that: it begins so. */
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
