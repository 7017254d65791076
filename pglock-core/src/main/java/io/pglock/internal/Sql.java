// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockMode;
import io.pglock.Signal;
import java.util.Arrays;
import java.util.stream.Collectors;

/** Every statement of pglock-core. Lower case, bound or quoted, never pasted. Not API. */
public final class Sql {

    // ---- the session ------------------------------------------------------------------------------------------------

    static final String SESSION_FACTS =
            """
            select pg_backend_pid(), pg_is_in_recovery(), (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint::text""";

    // ---- signalling -------------------------------------------------------------------------------------------------

    /** {@code pglk} as the first half of the advisory key that marks a guarded session; the second half is its pid. */
    static final int GUARDED_CLASS = 0x70676c6b;

    /** Flyway's history lock is this number plus a hash of the table's name, 32 bits with sign. */
    private static final long FLYWAY_KEY = 77431708279161L;

    /** Which held modes (in pg_locks' spelling) conflict with a wanted one. */
    private static final String CONFLICT = Arrays.stream(LockMode.values())
            .map(wanted -> wanted.conflicts().stream()
                    .map(LockMode::pgLocksName)
                    .sorted()
                    .collect(Collectors.joining(",", "('" + wanted.pgLocksName() + "', '{", "}'::text[])")))
            .collect(Collectors.joining(", ", "conflict (wanted, held) as (values ", ")"));

    /** Names what is locked; two rows of pg_locks concern the same thing when this is equal. */
    private static final String TAG =
            """
            row(l.locktype, l.database, l.relation, l.page, l.tuple, l.virtualxid, l.transactionid, l.classid, l.objid,
                l.objsubid)::text""";

    /** Whether the session {@code a} is one that a migration depends on; needs the common table {@code lock}. */
    private static final String IS_GUARDED = ("exists (select 1 from lock m where m.locktype = 'advisory' and m.granted"
            + " and m.objsubid = 2 and m.classid::bigint = $class and m.objid::bigint = a.pid)")
            .replace("$class", Long.toString(GUARDED_CLASS));

    private static final String IS_FLYWAY_HISTORY = ("exists (select 1 from lock f where f.locktype = 'advisory' and f.granted"
            + " and f.objsubid = 1 and f.who = a.pid and ((f.classid::bigint << 32) | f.objid::bigint) between $low and $high)")
            .replace("$low", Long.toString(FLYWAY_KEY - (1L << 31)))
            .replace("$high", Long.toString(FLYWAY_KEY + (1L << 31)));

    private static final String SIGNAL_SESSION =
            """
            with target as (
                select ?::int as pid, ?::timestamptz as backend_start, ?::timestamptz as xact_start
            ), verdict as (
                select t.pid, case
                    when a.pid is null or a.backend_start is distinct from t.backend_start then 'ENDED'
                    when a.pid = pg_backend_pid() then 'SELF'
                    when a.backend_type is distinct from 'client backend' then 'NOT_A_CLIENT'
                    when a.xact_start is distinct from t.xact_start then 'OTHER_TRANSACTION'
                    when $idle then 'IDLE'
                    else 'SEND' end as verdict
                from target t left join pg_stat_activity a on a.pid = t.pid
                offset 0
            )
            select v.verdict, case when v.verdict = 'SEND' then $signal(v.pid) end from verdict v""";

    /** Whether it still blocks is looked at last, right before the signal. */
    private static final String SIGNAL_BLOCKER =
            """
            with $conflict, target as (
                select ?::int as pid, ?::timestamptz as backend_start, ?::timestamptz as xact_start, ?::int as waiter,
                       ?::text[] as protected, ?::int[] as own
            ), worker as (
                $worker
            ), lock as (
                select coalesce(w.leader_pid, l.pid) as who, l.granted, l.mode, l.locktype, l.classid, l.objid, l.objsubid,
                       $tag as tag
                from pg_locks l left join worker w on w.pid = l.pid
                where l.pid is not null and l.mode <> 'SIReadLock'
            ), verdict as (
                select t.pid, t.waiter, case
                    when a.pid is null or a.backend_start is distinct from t.backend_start then 'ENDED'
                    when a.pid = pg_backend_pid() then 'SELF'
                    when a.backend_type is distinct from 'client backend' then 'NOT_A_CLIENT'
                    when a.xact_start is distinct from t.xact_start then 'OTHER_TRANSACTION'
                    when a.application_name = any (t.protected) or a.usename::text = any (t.protected) then 'PROTECTED'
                    when a.pid = any (t.own) then 'OWN'
                    when $guarded then 'GUARDED'
                    when $flyway then 'FLYWAY_HISTORY'
                    when not exists (
                        select 1
                        from lock w
                        join conflict c on c.wanted = w.mode
                        join lock h on h.tag = w.tag and h.granted and h.mode = any (c.held)
                        where w.who = t.waiter and not w.granted and h.who = a.pid) then 'NOT_BLOCKING'
                    when $idle then 'IDLE'
                    else 'SEND' end as verdict
                from target t left join pg_stat_activity a on a.pid = t.pid
                offset 0
            )
            select v.verdict,
                   case when v.verdict = 'SEND' then
                       case when v.pid = any (pg_blocking_pids(v.waiter)) then $signal(v.pid) end
                   end
            from verdict v""";

    /** In a transaction pg_stat_activity stays as it was first read; this makes it be read anew. */
    static final String SIGNAL_SAVEPOINT = "savepoint pglock_signal; select pg_stat_clear_snapshot()";

    static final String SIGNAL_RELEASE = "release savepoint pglock_signal";

    static final String SIGNAL_ROLLBACK = "rollback to savepoint pglock_signal; release savepoint pglock_signal";

    static final String WHY_NOT_PERMITTED =
            "select quote_ident(current_user), exists (select 1 from pg_roles where rolname = ? and rolsuper)";

    /** Parameters: pid, its backend_start, its xact_start. One row: the verdict, and what the signal function returned. */
    static String signalSession(Signal signal) {
        return signal(SIGNAL_SESSION, signal);
    }

    /**
     * Parameters: pid, its backend_start, its xact_start, the waiter's pid, protected names, own pids. One row: the verdict,
     * and what the signal function returned; null where it blocks no more.
     */
    static String signalBlocker(int major, Signal signal) {
        return signal(SIGNAL_BLOCKER, signal)
                .replace("$worker", worker(major))
                .replace("$conflict", CONFLICT)
                .replace("$tag", TAG)
                .replace("$guarded", IS_GUARDED)
                .replace("$flyway", IS_FLYWAY_HISTORY);
    }

    /** Parallel workers and the session that they work for. */
    private static String worker(int major) {
        return major >= 13
                ? "select pid, leader_pid from pg_stat_activity where leader_pid is not null"
                : "select null::int as pid, null::int as leader_pid where false";
    }

    /** A cancel does nothing to a session that runs no statement, and pg_cancel_backend answers true all the same. */
    private static String signal(String sql, Signal signal) {
        return switch (signal) {
            case CANCEL -> sql.replace("$idle", "a.state like 'idle%'").replace("$signal", "pg_cancel_backend");
            case TERMINATE -> sql.replace("$idle", "false").replace("$signal", "pg_terminate_backend");
        };
    }

    private Sql() {}
}
