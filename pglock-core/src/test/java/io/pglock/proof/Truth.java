// SPDX-License-Identifier: Apache-2.0
package io.pglock.proof;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What is so, by the test's own SQL: who holds a lock that conflicts with what the guarded session waits for, or the row. It is noted by
 * the server in the statement that sends a signal, whatever that statement has checked before: the schema {@code proof} stands
 * before {@code pg_catalog} in the search path of the watch's session, and has functions by the names of PostgreSQL's that note
 * it and then call those.
 *
 * <p>Between what a statement has checked and the signal there is always a moment, a few microseconds, in which a session may
 * let go: PostgreSQL has no way to check and signal at once. Noting makes it longer. So who has been found blocking by the
 * very statement ({@code checked}) and blocks no more when it is noted, or nobody waits any more, or it has begun its transaction after that statement
 * began, has <em>overtaken</em> it: nothing is sent then, and it is counted. Whoever has not been checked has no such excuse.
 */
final class Truth {

    /**
     * The manual's table "Conflicting Lock Modes", 13.3.1: what is asked for in rows, what is held in columns, from ACCESS SHARE
     * to ACCESS EXCLUSIVE in both.
     */
    private static final String CONFLICTS = """
            AccessShareLock          .......X
            RowShareLock             ......XX
            RowExclusiveLock         ....XXXX
            ShareUpdateExclusiveLock ...XXXXX
            ShareLock                ..XX.XXX
            ShareRowExclusiveLock    ..XXXXXX
            ExclusiveLock            .XXXXXXX
            AccessExclusiveLock      XXXXXXXX
            """;

    /**
     * The manual's table "Conflicting Row-Level Locks", 13.3.2: FOR KEY SHARE, FOR SHARE, FOR NO KEY UPDATE and FOR UPDATE, by the
     * names that PostgreSQL's README.tuplock gives the lock by which one gets in line for a row.
     *
     * <p>By that README a row's locker is noted in the row, and is waited for by its transaction. Whoever has to wait first takes
     * that lock, keeps it while it waits, and lets it go once it has the row. So to have it is not to have the row, and to wait
     * for it is to wait for the transaction that the first in line waits for: provided that whatever may keep the first one from
     * the row keeps this one from it, too.
     */
    private static final String ROW_CONFLICTS = """
            AccessShareLock     ...X
            RowShareLock        ..XX
            ExclusiveLock       .XXX
            AccessExclusiveLock XXXX
            """;

    private static final String FUNCTIONS = """
            create function proof.truth(waiter int) returns table (
                pid int, backend_start timestamptz, xact_start timestamptz, state text, state_change timestamptz,
                application text, role text, type text, hard boolean, marked boolean, flyway boolean, wait text,
                waited_ms float8, age_ms float8)
            language plpgsql as $$
            #variable_conflict use_column
            begin
                return query with named as (
                    select distinct unnest(pg_catalog.pg_blocking_pids(truth.waiter)) as pid
                ), worker as (
                    <worker>
                ), lk as (
                    select coalesce(w.leader_pid, l.pid, 0) as who, l.* from pg_catalog.pg_locks l left join worker w on w.pid = l.pid
                ), wanted as (
                    select * from lk where who = truth.waiter and not granted
                ), in_line as (
                    select q.pid
                    from wanted w
                    join lk q on q.locktype = 'tuple' and q.granted and q.who <> truth.waiter
                         and (q.database, q.relation, q.page, q.tuple) = (w.database, w.relation, w.page, w.tuple)
                         and q.mode <> 'SIReadLock'
                         and not exists (select 1 from proof.row_conflict keeps
                                         where keeps.wanted = q.mode
                                         and not exists (select 1 from proof.row_conflict this
                                                         where this.wanted = w.mode and this.held = keeps.held))
                    join lk x on x.pid = q.pid and x.locktype = 'transactionid' and not x.granted
                    where w.locktype = 'tuple' and q.pid in (select pid from named)
                ), row_owner as (
                    select distinct o.pid from in_line i cross join lateral unnest(pg_catalog.pg_blocking_pids(i.pid)) o(pid)
                    where o.pid <> truth.waiter
                ), b as (
                    select pid from named union select pid from row_owner
                )
                select b.pid, a.backend_start, a.xact_start, a.state, a.state_change, a.application_name, a.usename::text,
                       a.backend_type,
                       b.pid in (select pid from row_owner)
                       or exists (select 1 from wanted w
                               join proof.conflict c on c.wanted = w.mode
                               join lk h on h.who = b.pid and h.granted and h.mode = c.held and h.locktype = w.locktype
                                    and h.locktype <> 'tuple'
                                    and (h.database, h.relation, h.page, h.tuple, h.virtualxid, h.transactionid, h.classid,
                                         h.objid, h.objsubid)
                                        is not distinct from
                                        (w.database, w.relation, w.page, w.tuple, w.virtualxid, w.transactionid, w.classid,
                                         w.objid, w.objsubid)),
                       exists (select 1 from lk m where m.locktype = 'advisory' and m.granted and m.objsubid = 2
                               and m.classid = 1885826155 and m.objid = b.pid),
                       exists (select 1 from lk f where f.who = b.pid and f.locktype = 'advisory' and f.granted and f.objsubid = 1
                               and (f.classid::bigint << 32) + f.objid::bigint
                                   between 77431708279161 - 2147483648 and 77431708279161 + 2147483648)
                       or coalesce(a.query like 'SELECT pg_try_advisory_lock(77431%', false),
                       (select string_agg(w.locktype || ' ' || w.mode || ' '
                               || concat_ws(',', w.relation, w.page, w.tuple, w.virtualxid, w.transactionid, w.classid, w.objid), ' ')
                        from wanted w),
                       (select (extract(epoch from clock_timestamp() - min(<waitstart>)) * 1000)::float8 from wanted w),
                       (extract(epoch from clock_timestamp() - coalesce(a.xact_start, a.state_change)) * 1000)::float8
                from b left join pg_catalog.pg_stat_activity a on a.pid = b.pid;
            end $$;

            create function proof.blocks(target int) returns boolean language plpgsql as $$
            declare
                named int[] := pg_catalog.pg_blocking_pids(current_setting('proof.waiter')::int);
            begin
                return target = any (named)
                       or exists (select 1 from pg_catalog.pg_locks t
                                  where t.pid = any (named) and t.locktype = 'tuple' and t.granted and t.mode <> 'SIReadLock'
                                  and target = any (pg_catalog.pg_blocking_pids(t.pid)));
            end $$;

            create function proof.note(target int, how text, blocking boolean) returns boolean language plpgsql as $$
            declare
                checked boolean := coalesce(target = any (nullif(current_setting('proof.checked', true), '')::int[]), false);
                t record;
                overtaken boolean;
            begin
                perform pg_catalog.pg_stat_clear_snapshot();
                select * into t from proof.truth(current_setting('proof.waiter')::int) where pid = target;
                -- The truth has been read piece by piece: whoever was queued ahead is so still, whoever let go meanwhile is not.
                blocking := blocking and proof.blocks(target);
                overtaken := checked and (not blocking or t.wait is null)
                             or coalesce(t.xact_start >= statement_timestamp(), false);
                insert into proof.signal
                select nextval('proof.signals'), current_setting('proof.look')::int, how, target, checked, overtaken,
                       current_setting('proof.looked_at')::timestamptz, current_setting('proof.seen_until')::timestamptz,
                       t.pid is not null, t.backend_start, t.xact_start, t.state, t.state_change, t.application, t.role, t.type,
                       t.hard, t.marked, t.flyway, t.wait, t.waited_ms, t.age_ms
                where target is not null;
                return not overtaken;
            end $$;

            create function proof.pg_cancel_backend(target int) returns boolean language plpgsql as $$
            declare
                blocking boolean := proof.blocks(target);
            begin
                return case when proof.note(target, 'CANCEL', blocking) then pg_catalog.pg_cancel_backend(target) end;
            end $$;

            create function proof.pg_terminate_backend(target int) returns boolean language plpgsql as $$
            declare
                blocking boolean := proof.blocks(target);
            begin
                return case when proof.note(target, 'TERMINATE', blocking) then pg_catalog.pg_terminate_backend(target) end;
            end $$;

            create function proof.pg_blocking_pids(waiter int) returns int[] language plpgsql as $$
            declare
                found int[] := pg_catalog.pg_blocking_pids(waiter);
            begin
                perform set_config('proof.checked', found::text, true);
                return found;
            end $$;
            """;

    private static final String TABLES = """
            create schema proof;
            create table proof.conflict (wanted text, held text);
            create table proof.row_conflict (wanted text, held text);
            create sequence proof.signals;
            create unlogged table proof.signal (
                id bigint, look int, how text, target int, checked boolean, overtaken boolean, looked_at timestamptz,
                seen_until timestamptz, is_blocker boolean, backend_start timestamptz, xact_start timestamptz, state text,
                state_change timestamptz, application text, role text, type text, hard boolean, marked boolean,
                flyway boolean, wait text, waited_ms float8, age_ms float8);
            """;

    /** So that nothing is compiled when it matters. */
    static final String WARM_UP = """
            select set_config('proof.look', '-1', false), set_config('proof.looked_at', clock_timestamp()::text, false),
                   set_config('proof.seen_until', clock_timestamp()::text, false), pg_blocking_pids(0), pg_cancel_backend(null),
                   pg_terminate_backend(null)""";

    /** Before a look. Parameter: its number. A row for each who is in the way, or one with nobody. */
    static final String BEFORE_LOOK = """
            select set_config('proof.look', ?, false), set_config('proof.looked_at', clock_timestamp()::text, false), t.*
            from (select 1) as one left join proof.truth(current_setting('proof.waiter')::int) t on true""";

    static final String AFTER_LOOK = "select set_config('proof.seen_until', clock_timestamp()::text, false)";

    /**
     * Parameter: the last one known. Whether {@code steady}: it is since before the look what it is at the signal; whether
     * {@code renewed}: it has begun its transaction after the look.
     */
    static final String SIGNALS = """
            select *, coalesce(state_change < looked_at, false) as steady, coalesce(xact_start > seen_until, false) as renewed
            from proof.signal where id > ? order by id""";

    static final String COUNT = "select count(*) from proof.signal";

    private Truth() {}

    /** What makes it so in a database. */
    static List<String> schema(int major) {
        List<String> schema = new ArrayList<>();
        schema.add(TABLES);
        schema.add("insert into proof.conflict values " + conflicts(CONFLICTS));
        schema.add("insert into proof.row_conflict values " + conflicts(ROW_CONFLICTS));
        schema.add(FUNCTIONS
                .replace("<waitstart>", major >= 14 ? "w.waitstart" : "null::timestamptz")
                .replace(
                        "<worker>",
                        major >= 13
                                ? "select a.pid, a.leader_pid from pg_catalog.pg_stat_activity a where a.leader_pid is not null"
                                : "select null::int as pid, null::int as leader_pid where false"));
        return schema;
    }

    private static String conflicts(String table) {
        List<String[]> rows = table.lines().map(line -> line.split(" +")).toList();
        List<String> pairs = new ArrayList<>();
        for (String[] row : rows) {
            for (int held = 0; held < rows.size(); held++) {
                if (row[1].charAt(held) == 'X') {
                    pairs.add("('" + row[0] + "', '" + rows.get(held)[0] + "')");
                }
            }
        }
        return pairs.stream().collect(Collectors.joining(", "));
    }
}
