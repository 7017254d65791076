// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockKey;
import io.pglock.LockMode;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Every statement of pglock-liquibase. Lower case, bound or quoted, never pasted. Not API. */
public final class Sql {

    private Sql() {}

    // ---- change types: they run as they are printed by update-sql, so nothing in them can be bound
    // -----------------------

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
}
