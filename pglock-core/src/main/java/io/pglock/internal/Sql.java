// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockKey;
import io.pglock.LockMode;
import io.pglock.Signal;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Every statement of pglock-core. Lower case, bound or quoted, never pasted; without a backslash, which means something else
 * where {@code standard_conforming_strings} is off. Not API.
 */
public final class Sql {

    // ---- the session ------------------------------------------------------------------------------------------------

    private static final String STARTED = "(extract(epoch from s.backend_start) * 1000000)::bigint";

    /** In a transaction pg_stat_activity stays as it was first read: that is not to be the caller's concern. */
    static final String SESSION_FACTS = """
            select pg_backend_pid(), pg_is_in_recovery(), (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint::text,
                   (select $started from pg_stat_get_activity(pg_backend_pid()) s), pg_stat_clear_snapshot()""".replace("$started", STARTED);

    /** Whether this pid has been given to another session than the one that began then, as far as this role may see. */
    private static final String IS_SOMEBODY_ELSE =
            "exists (select 1 from pg_stat_get_activity(g.pid) s where $started <> g.start)"
                    .replace("$started", STARTED);

    // ---- signalling -------------------------------------------------------------------------------------------------

    /** {@code pglk} as the first half of the advisory key that marks a guarded session; the second half is its pid. */
    static final int GUARDED_CLASS = 0x70676c6b;

    /** Flyway's history lock is this number plus a hash of the table's name, 32 bits with sign. */
    private static final long FLYWAY_KEY = 77431708279161L;

    private static final String AMONG_FLYWAY_KEYS =
            "between " + (FLYWAY_KEY - (1L << 31)) + " and " + (FLYWAY_KEY + (1L << 31));

    /** Which held modes (in pg_locks' spelling) conflict with a wanted one. */
    private static final String CONFLICT = Arrays.stream(LockMode.values())
            .map(wanted -> wanted.conflicts().stream()
                    .map(LockMode::pgLocksName)
                    .sorted()
                    .collect(Collectors.joining(",", "('" + wanted.pgLocksName() + "', '{", "}'::text[])")))
            .collect(Collectors.joining(", ", "conflict (wanted, held) as (values ", ")"));

    /** Names what is locked; two rows of pg_locks concern the same thing when this is equal. */
    private static final String TAG = """
            row(l.locktype, l.database, l.relation, l.page, l.tuple, l.virtualxid, l.transactionid, l.classid, l.objid,
                l.objsubid)::text""";

    /** The modes of a lock on a row, from that of {@code FOR KEY SHARE} to that of {@code FOR UPDATE}. */
    private static final String ROW_STRENGTHS =
            "array['AccessShareLock', 'RowShareLock', 'ExclusiveLock', 'AccessExclusiveLock']";

    /** Whether the session {@code a} is one that a migration depends on; needs the common table {@code lock}. */
    private static final String IS_GUARDED = ("exists (select 1 from lock m where m.locktype = 'advisory' and m.granted"
                    + " and m.objsubid = 2 and m.classid::bigint = $class and m.objid::bigint = a.pid)")
            .replace("$class", Long.toString(GUARDED_CLASS));

    /** Whether the lock {@code l} is one of Flyway's history. */
    private static final String IS_FLYWAY_LOCK = "l.locktype = 'advisory' and l.granted and l.objsubid = 1"
            + " and ((l.classid::bigint << 32) | l.objid::bigint) " + AMONG_FLYWAY_KEYS;

    private static final String IS_FLYWAY_HISTORY =
            "exists (select 1 from lock l where l.who = a.pid and " + IS_FLYWAY_LOCK + ")";

    /** Another Flyway that tries for that lock again and again: between two tries it idles, in a transaction. */
    private static final String IS_FLYWAY_WAITING = """
            coalesce(substring(a.query from '^SELECT pg_try_advisory_(?:xact_)?lock[(]([0-9]{1,18})[)]')::bigint
                     $keys, false)""".replace("$keys", AMONG_FLYWAY_KEYS);

    /**
     * A {@link io.pglock.LockClient}'s: told by the name that it gives itself, and by what it is for. The {@code pglock} command calls its
     * other sessions so, too, and those have locks on tables and the like.
     */
    private static final String IS_LOCK_CLIENT = """
            (concat(' ', a.application_name) like '% $name'
             and exists (select 1 from lock l where l.who = a.pid and l.granted and l.locktype = 'advisory'))""".replace("$name", SessionSettings.APPLICATION);

    /**
     * What a session waits for in the end. The lock on a row (a {@code tuple}) is only a place in the queue for it, and to end whoever has
     * that frees nobody: it waits itself, for the transaction that has the row. So does then whoever wants the row behind it in
     * the same mode or in a stronger one, for what is in the way of a row lock is in the way of each stronger one; of a weaker
     * one nobody can tell. Needs the common tables {@code lock} and {@code conflict}.
     */
    private static final String WANTED = """
            select w.who as waiter, null::int as ahead, w.mode, w.tag
            from lock w
            where w.who in ($waiters) and not w.granted and w.locktype <> 'tuple'
            union all
            select w.who, t.who, x.mode, x.tag
            from lock w
            join conflict c on c.wanted = w.mode
            join lock t on t.tag = w.tag and t.granted and t.mode = any (c.held)
            join lock x on x.pid = t.pid and not x.granted and x.locktype = 'transactionid'
            where w.who in ($waiters) and not w.granted and w.locktype = 'tuple'
              and array_position($strengths, w.mode) >= array_position($strengths, t.mode)""".replace("$strengths", ROW_STRENGTHS);

    private static final String SIGNAL_SESSION = """
            with target as (
                select ?::int as pid, ?::timestamptz as backend_start, ?::timestamptz as xact_start,
                       ?::bool as named, ?::text as state
            ), verdict as (
                select t.pid, case
                    when a.pid is null or a.backend_start is distinct from t.backend_start then 'ENDED'
                    when a.pid = pg_backend_pid() then 'SELF'
                    when a.backend_type is distinct from 'client backend' then 'NOT_A_CLIENT'
                    when not t.named and 'disabled' in (t.state, a.state) then 'NOT_TRACKED'
                    when a.xact_start is distinct from t.xact_start then 'OTHER_TRANSACTION'
                    when not t.named and a.wait_event = 'SyncRep' then 'COMMITTING'
                    when $idle then 'IDLE'
                    else 'SEND' end as verdict
                from target t left join pg_stat_activity a on a.pid = t.pid
                offset 0
            )
            select v.verdict, case when v.verdict = 'SEND' then $signal(v.pid) end from verdict v""";

    /** Whether it still blocks is looked at last, right before the signal. */
    private static final String SIGNAL_BLOCKER = """
            with $conflict, target as (
                select ?::int as pid, ?::timestamptz as backend_start, ?::timestamptz as xact_start,
                       ?::text[] as protected, ?::int[] as own, $wanted
            ), worker as (
                $worker
            ), lock as (
                select coalesce(w.leader_pid, l.pid) as who, l.pid, l.granted, l.mode, l.locktype, l.classid, l.objid, l.objsubid,
                       l.virtualtransaction as within, $tag as tag
                from pg_locks l left join worker w on w.pid = l.pid
                where l.pid is not null and l.mode <> 'SIReadLock'
            ), $blocking, verdict as (
                select t.*, case
                    when a.pid is null or a.backend_start is distinct from t.backend_start then 'ENDED'
                    when a.pid = pg_backend_pid() then 'SELF'
                    when a.backend_type is distinct from 'client backend' then 'NOT_A_CLIENT'
                    when a.state = 'disabled' then 'NOT_TRACKED'
                    when a.xact_start is distinct from t.xact_start then 'OTHER_TRANSACTION'
                    when a.application_name = any (t.protected) or a.usename::text = any (t.protected) then 'PROTECTED'
                    when a.pid = any (t.own) then 'OWN'
                    when $guarded then 'GUARDED'
                    when $flyway then 'FLYWAY_HISTORY'
                    when $waiting then 'FLYWAY_WAITING'
                    when $lock_client then 'LOCK_CLIENT'
                    when not exists (select 1 from blocking) then 'NOT_BLOCKING'
                    when a.wait_event = 'SyncRep' then 'COMMITTING'
                    when a.state_change <> t.idle_since then 'AT_WORK'
                    when $idle then 'IDLE'
                    else 'SEND' end as verdict
                from target t left join pg_stat_activity a on a.pid = t.pid
                offset 0
            )
            select v.verdict, case when v.verdict = 'SEND' then case when $still then $signal(v.pid) end end
            from verdict v""";

    private static final String BLOCKS_THE_WAITER =
            """
            wanted as (
                $wanted
            ), blocking as (
                select w.ahead
                from target t
                join wanted w on w.waiter = t.waiter
                join conflict c on c.wanted = w.mode
                join lock h on h.who = t.pid and h.tag = w.tag and h.granted and h.mode = any (c.held)
            )""".replace("$wanted", WANTED).replace("$waiters", "select waiter from target");

    private static final String STILL_BLOCKS_THE_WAITER = """
            exists (
                select 1
                from blocking b
                where case when b.ahead is null then v.pid = any (pg_blocking_pids(v.waiter))
                           when b.ahead = any (pg_blocking_pids(v.waiter)) then v.pid = any (pg_blocking_pids(b.ahead)) end)""";

    /** The waiter has stepped aside: what it waited for is known, and in which transaction that was held. */
    private static final String HOLDS_WHAT_WAS_WAITED_FOR = """
            blocking as (
                select 1
                from target t
                join lock h on h.who = t.pid and h.granted and h.tag = t.tag and h.mode = any (string_to_array(t.modes, ','))
                where h.within = t.within or h.locktype = 'advisory'
            )""";

    /** Parameters: pid, when it began. Cancels that session's statement if it waits for a lock; null if it does not. */
    static final String GIVE_WAY = """
            select case when not $somebody and cardinality(pg_blocking_pids(g.pid)) > 0 then pg_cancel_backend(g.pid) end
            from (select ?::int as pid, ?::bigint as start offset 0) as g""".replace("$somebody", IS_SOMEBODY_ELSE);

    /** In a transaction pg_stat_activity stays as it was first read; this makes it be read anew. */
    static final String SIGNAL_SAVEPOINT = "savepoint pglock_signal; select pg_stat_clear_snapshot()";

    static final String SIGNAL_RELEASE = "release savepoint pglock_signal";

    static final String SIGNAL_ROLLBACK = "rollback to savepoint pglock_signal; release savepoint pglock_signal";

    static final String WHY_NOT_PERMITTED =
            "select quote_ident(current_user), exists (select 1 from pg_roles where rolname = ? and rolsuper)";

    /**
     * Parameters: pid, its backend_start, its xact_start, whether somebody named it, its state. One row: the verdict, and what
     * the signal function returned.
     */
    static String signalSession(Signal signal) {
        return signal(SIGNAL_SESSION, signal);
    }

    /**
     * Parameters: pid, its backend_start, its xact_start, protected names, own pids, the waiter's pid, since when it must have
     * idled (or null). One row: the verdict, and what the signal function returned; null where it blocks no more.
     */
    static String signalBlocker(int major, Signal signal) {
        return signalBlocker(
                major,
                signal,
                "?::int as waiter, ?::timestamptz as idle_since",
                BLOCKS_THE_WAITER,
                STILL_BLOCKS_THE_WAITER);
    }

    /**
     * For a waiter that has stepped aside. Parameters: as for {@link #signalBlocker(int, Signal)}, but what is held, in which
     * virtual transaction, and the modes that were in the way (separated by commas) in place of the last two.
     */
    static String signalHolder(int major, Signal signal) {
        return signalBlocker(
                major,
                signal,
                "?::text as tag, ?::text as within, ?::text as modes, null::timestamptz as idle_since",
                HOLDS_WHAT_WAS_WAITED_FOR,
                "true");
    }

    private static String signalBlocker(int major, Signal signal, String wanted, String blocking, String still) {
        return signal(SIGNAL_BLOCKER, signal)
                .replace("$wanted", wanted)
                .replace("$blocking", blocking)
                .replace("$still", still)
                .replace("$worker", worker(major))
                .replace("$conflict", CONFLICT)
                .replace("$tag", TAG)
                .replace("$guarded", IS_GUARDED)
                .replace("$flyway", IS_FLYWAY_HISTORY)
                .replace("$waiting", IS_FLYWAY_WAITING)
                .replace("$lock_client", IS_LOCK_CLIENT);
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

    // ---- timeouts for a while ---------------------------------------------------------------------------------------

    public static final TimeoutSetting LOCK_TIMEOUT = TimeoutSetting.named("lock_timeout");
    public static final TimeoutSetting STATEMENT_TIMEOUT = TimeoutSetting.named("statement_timeout");

    /**
     * The statements of a scope over one timeout setting. The values to go back to are stacked in the setting {@code
     * pglock.<name>}, newest first, as {@code id=value id=value }: ids that begin with {@code t} are local to the transaction
     * and always above those of the session, which begin with {@code s}. A list of set_config calls runs from left to right;
     * {@code offset 0} keeps PostgreSQL from reading a value again after it was set.
     */
    public record TimeoutSetting(String name, String open, String closeLocal, String closeSession, String isInForce) {

        static final String LOCAL_ID = "t";
        static final String SESSION_ID = "s";

        private static final String OPEN = """
                select set_config('pglock.<name>', concat(?::text, '=', current_setting('<name>'), ' ',
                                                          current_setting('pglock.<name>', true)), ?) is null,
                       set_config('<name>', ?, ?) is null""";

        /**
         * Below the newest scope, the scope above inherits what this one would have gone back to. Without regular expressions
         * where it can be: one that has the id in it is compiled anew each time, which took longer than all the rest.
         */
        private static final String MINE = """
                from (
                    select value, stack, stack like 't%' as masked, mine_at = 1 as newest,
                           regexp_replace(stack, '^(?:t[^ ]* )*', '') like mine || '%' as newest_of_session,
                           split_part(substr(stack, mine_at + length(mine)), ' ', 1) as saved,
                           case when mine_at = 1 then substr(stack, strpos(stack, ' ') + 1)
                                else regexp_replace(stack, '=[^ ]* ' || mine, '=') end as rest
                    from (
                        select *, strpos(' ' || stack, ' ' || mine) as mine_at
                        from (
                            select ?::text || '=' as mine, current_setting('<name>') as value,
                                   current_setting('pglock.<name>', true) as stack
                            offset 0
                        ) now
                    ) found
                    where mine_at > 0
                ) mine""";

        private static final String CLOSE_LOCAL = """
                select case when newest then set_config('<name>', saved, true) is null end,
                       set_config('pglock.<name>', rest, true) is null
                """ + MINE;

        /** Inside a transaction, a value set for the session removes the local one above it, which is therefore set again. */
        private static final String CLOSE_SESSION = """
                select case when newest_of_session then set_config('<name>', saved, false) is null end,
                       case when newest_of_session and masked then set_config('<name>', value, true) is null end,
                       set_config('pglock.<name>', regexp_replace(rest, '^(?:t[^ ]* )*', ''), false) is null,
                       case when masked then set_config('pglock.<name>', rest, true) is null end
                """ + MINE;

        private static final String IS_IN_FORCE =
                "select concat(' ', current_setting('pglock.<name>', true)) like '% ' || ? || '=%'";

        private static TimeoutSetting named(String name) {
            return new TimeoutSetting(
                    name,
                    OPEN.replace("<name>", name),
                    CLOSE_LOCAL.replace("<name>", name),
                    CLOSE_SESSION.replace("<name>", name),
                    IS_IN_FORCE.replace("<name>", name));
        }
    }

    // ---- savepoints -------------------------------------------------------------------------------------------------

    static final String TO_SAVEPOINT = "rollback to savepoint pglock";
    static final String RELEASE_SAVEPOINT = "release savepoint pglock";
    static final String ROLLBACK_TO_SAVEPOINT = TO_SAVEPOINT + "; " + RELEASE_SAVEPOINT;
    static final String ROLLBACK = "rollback";

    /** For as long as the transaction or the round trip, and PostgreSQL 11+ within one. */
    static final String UNTIMED = "select set_config('statement_timeout', '0', true) is null";

    /** For inside a transaction: what fails can be made undone by {@link #ROLLBACK_TO_SAVEPOINT}. */
    static String guarded(String statement) {
        return "savepoint pglock; " + statement + "; " + RELEASE_SAVEPOINT;
    }

    /**
     * For inside a transaction: releases a savepoint from before. That releases this one too; if there is none, {@link
     * #ROLLBACK_TO_SAVEPOINT} makes the failure undone.
     */
    static String trying(String release) {
        return "savepoint pglock; " + release;
    }

    /** For inside a transaction, leaving nothing behind. */
    static String undone(String statements) {
        return "savepoint pglock; " + statements + "; " + ROLLBACK_TO_SAVEPOINT;
    }

    /** Greater than that of every transaction before; gives this one an id if it has none. */
    static final String FENCING_TOKEN = "select txid_current()";

    // ---- advisory locks ---------------------------------------------------------------------------------------------

    /** The statements for one kind of advisory lock; {@code ...Guarded} inside a transaction. */
    record Advisory(
            String tryLock,
            String tryLockGuarded,
            String lock,
            String lockGuarded,
            String lockTimed,
            String lockTimedGuarded,
            String tryXactGuarded,
            String xactGuarded,
            String xactTimedGuarded,
            String unlock,
            String unlockGuarded,
            String unlockIfHeld,
            String isHeld,
            String handOver,
            String handOverIfHeld) {

        private static final Advisory[] KINDS = {
            kind(false, false), kind(false, true), kind(true, false), kind(true, true)
        };

        /** The value for this one statement ends with its transaction, which ends with the statement. */
        private static final String TIMED =
                "with t as (select set_config('lock_timeout', ?, true)) select <lock> from t";

        private static final String TIMED_RESTORING = """
                with t as (select current_setting('lock_timeout') as saved, set_config('lock_timeout', ?, true)),
                     l as (select saved, <lock> from t)
                select set_config('lock_timeout', saved, true) is null from l""";

        /** To unlock only what this session holds: a vain pg_advisory_unlock would put a warning into the server's log. */
        private static final String IF_HELD = """
                select <what> from pg_locks
                where locktype = 'advisory' and granted and pid = pg_backend_pid() and mode = '<mode>'
                  and classid::bigint = ? and objid::bigint = ? and objsubid = ?""";

        static Advisory of(LockKey key, boolean shared) {
            return KINDS[(shared ? 2 : 0) + (key.isPair() ? 1 : 0)];
        }

        private static Advisory kind(boolean shared, boolean pair) {
            String call = (shared ? "_shared" : "") + (pair ? "(?, ?)" : "(?)");
            String unlock = "pg_advisory_unlock" + call;
            String lock = "pg_advisory_lock" + call;
            String xact = "pg_advisory_xact_lock" + call;
            String tryXact = "pg_try_advisory_xact_lock" + call;
            String ifHeld = IF_HELD.replace("<mode>", shared ? "ShareLock" : "ExclusiveLock");
            String unlockIfHeld = ifHeld.replace("<what>", unlock);
            return new Advisory(
                    "select pg_try_advisory_lock" + call,
                    guarded("select pg_try_advisory_lock" + call),
                    "select " + lock,
                    guarded("select " + lock),
                    TIMED.replace("<lock>", lock),
                    guarded(TIMED_RESTORING.replace("<lock>", lock)),
                    guarded("select " + tryXact),
                    guarded("select " + xact),
                    guarded(TIMED_RESTORING.replace("<lock>", xact)),
                    "select " + unlock,
                    guarded("select " + unlock),
                    unlockIfHeld,
                    ifHeld.replace("<what>", "1"),
                    guarded("select " + tryXact + ", " + unlock),
                    "select " + tryXact + "; " + unlockIfHeld);
        }
    }

    // ---- many advisory locks on one session -------------------------------------------------------------------------

    /** {@code pgla} as the first half of the advisory keys by which clients let each other know that they wait. */
    private static final int ANNOUNCED_CLASS = 0x70676c61;

    /** What a client's session runs with: nothing ends its waiting for work, and when its machine dies it dies soon. */
    static Map<String, String> lockClientSettings(int major) {
        Map<String, String> settings = new LinkedHashMap<>(
                Map.of("lock_timeout", "0", "statement_timeout", "0", "idle_in_transaction_session_timeout", "0"));
        if (major >= 11) {
            settings.put("jit", "off");
        }
        if (major >= 14) {
            settings.put("idle_session_timeout", "0");
        }
        if (major >= 17) {
            settings.put("transaction_timeout", "0");
        }
        return settings;
    }

    /** Of these some platforms know only a part, and a Unix socket none. */
    static Map<String, String> socketSettings(int major) {
        Map<String, String> settings = new LinkedHashMap<>(
                Map.of("tcp_keepalives_idle", "5", "tcp_keepalives_interval", "2", "tcp_keepalives_count", "3"));
        if (major >= 12) {
            settings.put("tcp_user_timeout", "11000");
        }
        if (major >= 14) {
            settings.put("client_connection_check_interval", "1s");
        }
        return settings;
    }

    /** One row with their values. */
    static String currentSettings(Collection<String> names) {
        return names.stream()
                .map(name -> "current_setting('" + name + "')")
                .collect(Collectors.joining(", ", "select ", ""));
    }

    /** Parameters: a value for each. */
    static String setForSession(Collection<String> names) {
        return names.stream()
                .map(name -> "set_config('" + name + "', ?, false)")
                .collect(Collectors.joining(", ", "select ", ""));
    }

    /** How many locks the server has room for, what that is made of, and whether this session has advisory locks already. */
    static final String LOCK_CLIENT_FACTS = """
            select current_setting('max_locks_per_transaction')::int,
                   current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int,
                   exists (select 1 from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())""";

    static final String BACKEND_PID = "select pg_backend_pid()";

    static final String UNLOCK_ALL = "select pg_advisory_unlock_all()";

    /** The advisory locks of this session. */
    static final String LOCKS_OF_SESSION = """
            select classid::bigint, objid::bigint, objsubid, mode = 'ShareLock' from pg_locks
            where locktype = 'advisory' and granted and pid = pg_backend_pid()""";

    private static final String ANNOUNCEMENT =
            "($class, announcement)".replace("$class", Integer.toString(ANNOUNCED_CLASS));

    /** To hold that of another client in shared mode keeps this from getting it; one's own does not. */
    private static final String IS_AWAITED = """
            case when pg_try_advisory_lock$announcement then not pg_advisory_unlock$announcement else true end""".replace("$announcement", ANNOUNCEMENT);

    /** Who waits on the server has not announced it. */
    private static final String IS_QUEUED = """
            exists (
                select 1 from pg_locks
                where locktype = 'advisory' and not granted and objsubid = <objsubid>
                  and classid::bigint = (key >> 32) & 4294967295 and objid::bigint = key & 4294967295
                  and database = (select oid from pg_database where datname = current_database()))""";

    /**
     * What does several things with several keys, for as long as it is no more than this.
     *
     * @param operations which there are
     * @param announcing whether there is a parameter for what announces the keys
     */
    private static String lockBatch(Collection<LockOp> operations, boolean announcing) {
        StringBuilder cases = new StringBuilder();
        for (boolean pair : new boolean[] {false, true}) {
            for (LockOp op : operations) {
                cases.append(" when ").append(code(op, pair)).append(" then ").append(lockCall(op, pair));
            }
        }
        return """
                select string_agg(case when case operation<cases> end then '1' else '0' end, ''), pg_backend_pid()<token>
                from (select unnest(?::int[]) as operation, unnest(?::bigint[]) as key<announcement>) r""".replace("<cases>", cases)
                .replace("<token>", announcing ? ", case when ? then txid_current() end" : "")
                .replace("<announcement>", announcing ? ", unnest(?::int[]) as announcement" : "");
    }

    /** The number that stands for an operation on one number, or on a pair of them. */
    static int code(LockOp op, boolean pair) {
        return op.ordinal() + (pair ? LockOp.values().length : 0);
    }

    /**
     * Parameters: an array of operations, one of keys. One row: a character for each, {@code 1} for yes; the pid. Only for
     * {@linkplain LockOp#isBasic basic} ones: what else a statement could do costs time in each that does not.
     */
    static final String LOCK_BASIC_BATCH =
            lockBatch(Arrays.stream(LockOp.values()).filter(LockOp::isBasic).toList(), false);

    /**
     * Parameters: whether to answer a fencing token, an array of operations, one of keys, one of what announces them. One row: a
     * character for each, {@code 1} for yes; the pid; the token, which is younger than everything before it.
     */
    static final String LOCK_BATCH = lockBatch(
            Arrays.stream(LockOp.values()).filter(op -> op != LockOp.IS_AWAITED).toList(), true);

    /** The same, where there is an {@link LockOp#IS_AWAITED} among them. */
    static final String LOCK_BATCH_LOOKING = lockBatch(List.of(LockOp.values()), true);

    private static final List<String> LOCK_ONE = Stream.of(false, true)
            .flatMap(pair -> Arrays.stream(LockOp.values()).map(op -> lockOne(op, pair)))
            .toList();

    private static String lockOne(LockOp op, boolean pair) {
        return """
                select <call>, pg_backend_pid() from (select ?::bigint as key, ?::int as announcement) r""".replace("<call>", lockCall(op, pair));
    }

    /** Parameters: a key, what announces it. One row: yes or no; the pid. */
    static String lockOneKey(LockOp op, boolean pair) {
        return LOCK_ONE.get(code(op, pair));
    }

    private static String lockCall(LockOp op, boolean pair) {
        String key = pair ? "((key >> 32)::int, (key << 32 >> 32)::int)" : "(key)";
        return switch (op) {
            case TRY -> "pg_try_advisory_lock" + key;
            case TRY_SHARED -> "pg_try_advisory_lock_shared" + key;
            case UNLOCK -> "pg_advisory_unlock" + key;
            case UNLOCK_SHARED -> "pg_advisory_unlock_shared" + key;
            case DOWNGRADE ->
                "case when pg_try_advisory_lock_shared" + key + " then pg_advisory_unlock" + key + " else false end";
            case ANNOUNCE -> "pg_try_advisory_lock_shared" + ANNOUNCEMENT;
            case WITHDRAW -> "pg_advisory_unlock_shared" + ANNOUNCEMENT;
            case TRY_UNLESS_AWAITED ->
                "case when " + IS_AWAITED + " then false else pg_try_advisory_lock" + key + " end";
            case TRY_SHARED_UNLESS_AWAITED ->
                "case when " + IS_AWAITED + " then false else pg_try_advisory_lock_shared" + key + " end";
            case IS_AWAITED -> IS_AWAITED + " or " + IS_QUEUED.replace("<objsubid>", pair ? "2" : "1");
        };
    }

    /** The key that announces another. */
    static LockKey announcement(int announcement) {
        return LockKey.of(ANNOUNCED_CLASS, announcement);
    }

    /**
     * Parameters: an array of keys, one of whether each is a pair. Takes them in this order for as long as it can; where it
     * cannot have all, it gives back what it has got. One row: whether it has them. By subscripts: joined, each key would be
     * looked for among all.
     */
    static String lockAll(boolean shared) {
        String mode = shared ? "_shared" : "";
        return """
                with recursive wanted(keys, pairs) as (
                    select ?::bigint[], ?::bool[]
                ), tried(n, got) as (
                    select 0, true
                    union all
                    select t.n + 1, case when w.pairs[t.n + 1] then pg_try_advisory_lock<mode>(
                                                  (w.keys[t.n + 1] >> 32)::int, (w.keys[t.n + 1] << 32 >> 32)::int)
                                         else pg_try_advisory_lock<mode>(w.keys[t.n + 1]) end
                    from tried t cross join wanted w
                    where t.got and t.n < cardinality(w.keys)
                ), result(got) as (
                    select bool_and(got) from tried
                )
                select r.got, (
                    select count(case when w.pairs[t.n] then pg_advisory_unlock<mode>(
                                               (w.keys[t.n] >> 32)::int, (w.keys[t.n] << 32 >> 32)::int)
                                      else pg_advisory_unlock<mode>(w.keys[t.n]) end)
                    from tried t cross join wanted w
                    where t.n > 0 and t.got and not r.got), pg_backend_pid()
                from result r""".replace("<mode>", mode);
    }

    // ---- table locks ------------------------------------------------------------------------------------------------

    /**
     * Two rows: lock_timeout, statement_timeout. Everything around LOCK TABLE is such that PostgreSQL takes no snapshot for it, as
     * it does for a query: in REPEATABLE READ the transaction would never see what the lock was waited for.
     */
    static final String LOCK_TABLE_BEGIN = guarded("show lock_timeout; show statement_timeout");

    /** Of a standby it is always on. As {@link #LOCK_TABLE_BEGIN}, without a snapshot. */
    static final String READ_ONLY = guarded("show transaction_read_only");

    /** SET takes no parameters. */
    static String setLocally(TimeoutSetting setting, String value) {
        return "set local " + setting.name() + " = " + Text.literal(value);
    }

    /** @param names quoted */
    static String lockTable(String names, LockMode mode) {
        return "lock table " + names + " in " + mode.sql().toLowerCase(Locale.ROOT) + " mode";
    }

    static String noWait(String lockTable) {
        return lockTable + " nowait";
    }

    // ---- sessions as values -----------------------------------------------------------------------------------------

    private static final String BACKEND_COLUMNS = """
            a.pid as backend_pid, <leader> as backend_leader_pid, a.datname::text as backend_database,
            a.usename::text as backend_user, a.application_name as backend_application,
            case family(a.client_addr) when 6 then '[' || host(a.client_addr) || ']' else host(a.client_addr) end
                || ':' || a.client_port as backend_client,
            a.client_hostname as backend_client_hostname, a.backend_xid::text as backend_xid, a.backend_xmin::text as backend_xmin,
            a.backend_type as backend_type, a.state as backend_state, a.backend_start as backend_start,
            a.xact_start as backend_xact_start, a.query_start as backend_query_start,
            a.state_change as backend_state_change, a.wait_event_type || ':' || a.wait_event as backend_wait_event,
            case when a.backend_start is not null then a.query end as backend_query,
            clock_timestamp() as backend_seen_at""";

    /** What {@link Rows#prepared} reads; select it over {@code pg_prepared_xacts p}. */
    static final String PREPARED_COLUMNS = """
            p.gid as prepared_gid, p.prepared as prepared_at, p.owner::text as prepared_owner,
            p.database::text as prepared_database, p.transaction::text as prepared_xid, clock_timestamp() as prepared_seen_at""";

    /** What {@link Rows#backend} reads; select it over {@code pg_stat_activity a}. */
    static String backendColumns(int major) {
        return BACKEND_COLUMNS.replace("<leader>", major >= 13 ? "a.leader_pid" : "null::int");
    }

    // ---- the guard --------------------------------------------------------------------------------------------------

    /** In milliseconds, and whether somebody set it in this session. */
    public static final String LOCK_TIMEOUT_IN_FORCE = """
            select setting::bigint, source = 'session' from pg_settings where name = 'lock_timeout'""";

    /** Where a unit that is tried again begins; not the savepoint of pglock's calls, which may be made inside it. */
    public static final String UNIT_SAVEPOINT = "savepoint pglock_unit";

    public static final String UNIT_RELEASE = "release savepoint pglock_unit";

    static final String UNIT_ROLLBACK = "rollback to savepoint pglock_unit";

    /**
     * Before a pause inside a transaction: the server must not end a session for being idle that waits on purpose. Answers
     * what the transaction still holds that others may have to wait for; whoever merely reads is in nobody's way, and a
     * session's own advisory locks, like Flyway's, are meant to be held throughout. Asked below the view, for that would be
     * locked during the pause.
     */
    static final String PAUSE_BEGIN = """
            savepoint pglock_pause;
            select set_config('idle_in_transaction_session_timeout', '0', true) is null;
            select string_agg(distinct mode || ' on ' || case when locktype = 'relation' then relation::regclass::text
                                                              when objsubid = 1 then 'advisory key ' || key
                                                              else 'advisory key (' || first || ', ' || second || ')' end, ', ')
            from (
                select *, (classid::bigint << 32) | objid::bigint as key,
                       classid::bigint::bit(32)::int as first, objid::bigint::bit(32)::int as second
                from pg_lock_status()
                where pid = pg_backend_pid() and granted
                offset 0
            ) held
            where case when locktype = 'relation' then mode <> 'AccessShareLock'
                       when locktype <> 'advisory' or objsubid = 1 and key $keys then false
                       when objsubid = 1 and mode = 'ShareLock' then not $bigint_shared
                       when objsubid = 1 then not $bigint
                       when mode = 'ShareLock' then not $pair_shared
                       else not $pair end""".replace("$keys", AMONG_FLYWAY_KEYS)
            .replace("$bigint_shared", isOfSession("_shared(key)"))
            .replace("$bigint", isOfSession("(key)"))
            .replace("$pair_shared", isOfSession("_shared(first, second)"))
            .replace("$pair", isOfSession("(first, second)"));

    /**
     * Whether an advisory lock that is held is the session's and not just the transaction's, which PostgreSQL tells only to
     * whoever unlocks it. Nobody else can have it meanwhile: the transaction holds it once more, up to the next savepoint.
     */
    private static String isOfSession(String key) {
        return """
                (case when pg_try_advisory_xact_lock<key> and pg_advisory_unlock<key>
                      then pg_try_advisory_lock<key> else false end)""".replace("<key>", key);
    }

    /** The same outside a transaction; PostgreSQL 14 or newer. Answers what was set. */
    static final String IDLE_PAUSE_BEGIN = """
            select current_setting('idle_session_timeout'),
                   case when current_setting('idle_session_timeout') <> '0'
                        then set_config('idle_session_timeout', '0', false) is null end""";

    static final String IDLE_PAUSE_END = "select set_config('idle_session_timeout', ?, false) is null";

    /** In milliseconds. */
    private static final String DEADLOCK_TIMEOUT_MILLIS =
            "(extract(epoch from current_setting('deadlock_timeout')::interval) * 1000)::bigint";

    static final String DEADLOCK_TIMEOUT = "select " + DEADLOCK_TIMEOUT_MILLIS;

    static final String PAUSE_END = "rollback to savepoint pglock_pause; release savepoint pglock_pause";

    /** What {@link #PAUSE_BEGIN} answers, without a pause. */
    static final String HELD_FROM_BEFORE = PAUSE_BEGIN + "; " + PAUSE_END;

    /** The locks on tables and the like that this transaction has taken, the system's own tables left out. */
    static final String LOCKS_TAKEN = """
            select distinct l.relation::regclass::text, l.mode
            from pg_locks l
            join pg_class c on c.oid = l.relation
            join pg_namespace n on n.oid = c.relnamespace
            where l.pid = pg_backend_pid() and l.granted and l.locktype = 'relation'
              and l.database = (select oid from pg_database where datname = current_database())
              and n.nspname <> 'information_schema' and left(n.nspname, 3) <> 'pg_'
            order by 1, 2""";

    /**
     * Parameters: the name of a table or index, whether it is built anew: then a table's TOAST table is, too. The invalid indexes
     * of that table, or of that index's, and of its partitions; those of TOAST last, which not every owner may drop.
     */
    static final String INVALID_INDEXES = """
            with recursive named (oid) as (
                select to_regclass(?)::oid
                union
                select h.inhrelid
                from named
                join pg_class parent on parent.oid = named.oid and parent.relkind in ('p', 'I')
                join pg_inherits h on h.inhparent = named.oid
            ), concerned (oid) as (
                select coalesce(x.indrelid, named.oid) from named left join pg_index x on x.indexrelid = named.oid
                union
                select t.reltoastrelid from named join pg_class t on t.oid = named.oid where ?
            )
            select i.indexrelid::bigint, c.relname::text, quote_ident(n.nspname) || '.' || quote_ident(c.relname),
                   exists (select 1
                           from pg_locks l join pg_stat_activity a on a.pid = l.pid
                           where l.locktype = 'relation' and l.relation = i.indrelid and l.granted
                             and l.pid <> pg_backend_pid() and a.usesysid is not null
                             and l.mode in ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock',
                                            'ExclusiveLock', 'AccessExclusiveLock'))
            from concerned
            join pg_index i on i.indrelid = concerned.oid
            join pg_class c on c.oid = i.indexrelid
            join pg_namespace n on n.oid = c.relnamespace
            where not i.indisvalid
            order by n.nspname = 'pg_toast', 3""";

    /** Parameters: parent, partition. Both with their schemas, if the partition is neither attached nor detached. */
    static final String PENDING_DETACH = """
            select quote_ident(p.nspname) || '.' || quote_ident(parent.relname),
                   quote_ident(n.nspname) || '.' || quote_ident(c.relname)
            from pg_inherits i
            join pg_class parent on parent.oid = i.inhparent
            join pg_namespace p on p.oid = parent.relnamespace
            join pg_class c on c.oid = i.inhrelid
            join pg_namespace n on n.oid = c.relnamespace
            where i.inhdetachpending and i.inhparent = to_regclass(?) and i.inhrelid = to_regclass(?)""";

    static String finalizeDetach(String parent, String partition) {
        return "ALTER TABLE " + parent + " DETACH PARTITION " + partition + " FINALIZE";
    }

    static String dropConcurrently(String qualifiedName) {
        return "drop index concurrently " + qualifiedName;
    }

    // ---- who was in the way -----------------------------------------------------------------------------------------

    /** Before a question that must not wait itself; for as long as the transaction or the round trip. */
    static final String ASK_BRIEFLY = """
            select set_config('lock_timeout', '500', true) is null, set_config('statement_timeout', '2000', true) is null,
                   pg_stat_clear_snapshot()""";

    private static final String BLOCKERS = """
            select l.pid is null as is_prepared, l.granted, <backend>, <prepared>
            from pg_locks l
            left join pg_stat_activity a on a.pid = l.pid
            left join pg_locks x on l.pid is null and x.pid is null and x.virtualtransaction = l.virtualtransaction
                                and x.locktype = 'transactionid'
            left join pg_prepared_xacts p on p.transaction = x.transactionid
            where <what> and l.mode = any (?) and l.pid is distinct from pg_backend_pid()
              and l.database = (select oid from pg_database where datname = current_database())
            order by l.granted desc, a.xact_start""";

    private static final String ON_KEY =
            "l.locktype = 'advisory' and l.classid::bigint = ? and l.objid::bigint = ? and l.objsubid = ?";

    /** LOCK TABLE on a view locks what that selects from, with children, and so on; what a view depends on is more than that. */
    private static final String ON_TABLES = """
            l.locktype = 'relation' and l.relation in (
                with recursive t(oid, with_children) as (
                    select to_regclass(name)::oid, with_children
                    from (select ?::text[] as names, ?::bool as with_children) named cross join unnest(names) as name
                    union
                    select below.oid, true
                    from t cross join lateral (
                        select i.inhrelid from pg_inherits i where t.with_children and i.inhparent = t.oid
                        union all
                        select c.oid
                        from pg_class v
                        join pg_rewrite r on r.ev_class = v.oid and r.ev_type = '1'
                        join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
                                        and d.refclassid = 'pg_class'::regclass
                        join pg_class c on c.oid = d.refobjid and c.relkind in ('r', 'p', 'v')
                        where v.oid = t.oid and v.relkind = 'v'
                    ) below(oid)
                )
                select oid from t)""";

    /** Parameters: class id, object id, object sub-id, modes. */
    static String blockersOnKey(int major) {
        return blockers(major, ON_KEY);
    }

    /** Parameters: quoted names, whether with partitions and children, modes. */
    static String blockersOnTables(int major) {
        return blockers(major, ON_TABLES);
    }

    private static String blockers(int major, String what) {
        return BLOCKERS.replace("<backend>", backendColumns(major))
                .replace("<prepared>", PREPARED_COLUMNS)
                .replace("<what>", what);
    }

    // ---- the watch --------------------------------------------------------------------------------------------------

    /**
     * Answers the values found before, and {@code deadlock_timeout} in milliseconds; a select list is evaluated from left to
     * right.
     */
    static String watchSettings(int major) {
        return currentSettings(watchSettingNames(major))
                + ", " + DEADLOCK_TIMEOUT_MILLIS + ", "
                + watchRestore(major).substring("select ".length());
    }

    /** Parameters: a value for each of {@link #watchSettingNames}. */
    static String watchRestore(int major) {
        return setForSession(watchSettingNames(major));
    }

    /** Compiling a query that returns a row or two takes longer than running it: no jit, where there is one. */
    static List<String> watchSettingNames(int major) {
        List<String> names = List.of("application_name", "lock_timeout", "statement_timeout", "jit");
        return major >= 11 ? names : names.subList(0, 3);
    }

    /** Parameters: pids, when they began. Tells other JVMs that these sessions are guarded; answers which of them exist. */
    static final String WATCH_MARK =
            """
            select t.pid, t.present, case when t.present then pg_try_advisory_lock_shared($class, t.pid) end
            from (
                select g.pid, exists (select 1 from pg_stat_get_activity(g.pid)) and not $somebody as present
                from unnest(?::int[], ?::bigint[]) g(pid, start)
                offset 0
            ) t""".replace("$class", Integer.toString(GUARDED_CLASS)).replace("$somebody", IS_SOMEBODY_ELSE);

    /** Parameters: pids. */
    static final String WATCH_UNMARK = "select pg_advisory_unlock_shared($class, pid) from unnest(?::int[]) t(pid)"
            .replace("$class", Integer.toString(GUARDED_CLASS));

    /**
     * The virtual transaction in which something is held is the session's own: those of its parallel workers end with the query.
     * Looks at pg_locks only if somebody is blocked, and there only at who is concerned.
     */
    private static final String WATCH_LOOK = """
            with $conflict, edge as (
                select g.pid as waiter, g.blocker
                from (
                    select distinct g.pid, g.start, b.pid as blocker
                    from unnest(?::int[], ?::bigint[]) g(pid, start) cross join lateral unnest(pg_blocking_pids(g.pid)) b(pid)
                    where b.pid <> g.pid
                ) g
                where not $somebody
            ), concerned as (
                select waiter as pid from edge union select blocker from edge
            ), worker as (
                $worker and exists (select 1 from edge)
            ), lock as (
                select coalesce(w.leader_pid, l.pid, 0) as who, l.pid, l.granted, l.mode, l.locktype, l.database, l.relation, l.page,
                       l.tuple, l.virtualxid, l.transactionid, l.classid, l.objid, l.objsubid, l.virtualtransaction,
                       $waitstart as waitstart, $tag as tag
                from pg_locks l left join worker w on w.pid = l.pid
                where exists (select 1 from edge)
                  and l.mode <> 'SIReadLock'
                  and (coalesce(w.leader_pid, l.pid, 0) in (select pid from concerned)
                       or not l.granted
                       or l.locktype = 'transactionid'
                       or $history
                       or l.locktype = 'advisory' and l.objsubid = 2 and l.classid::bigint = $class)
            ), wait as (
                select l.who, string_agg(distinct l.mode || ' on ' || case
                           when l.relation is not null then case
                               when l.database in (0, (select oid from pg_database where datname = current_database()))
                               then l.relation::regclass::text else 'relation ' || l.relation end
                               || coalesce(' (row at ' || l.page || ',' || l.tuple || ')', '')
                           when l.locktype = 'transactionid' then 'transaction ' || l.transactionid::text
                           when l.locktype = 'virtualxid' then 'virtual transaction ' || l.virtualxid
                           when l.locktype = 'advisory' and l.objsubid = 1
                               then 'advisory key ' || ((l.classid::bigint << 32) | l.objid::bigint)
                           when l.locktype = 'advisory' then 'advisory key (' || l.classid::bigint::bit(32)::int || ', '
                               || l.objid::bigint::bit(32)::int || ')'
                           else concat_ws(' ', l.locktype, l.classid, l.objid) end, ', ') as waits_for,
                       $waited as waited_ms, $running as running_ms
                from lock l
                where not l.granted and l.who in (select waiter from edge)
                group by l.who
            ), wanted as (
                $wanted
            ), held as (
                select w.waiter, h.who as blocker,
                       case when h.pid is null then h.virtualtransaction end as prepared_in,
                       bool_or(w.ahead is not null) as of_a_row,
                       min(h.tag) as tag,
                       coalesce(min(h.virtualtransaction) filter (where h.locktype <> 'advisory' and coalesce(h.pid, 0) = h.who),
                                min(h.virtualtransaction) filter (where h.locktype <> 'advisory')) as within,
                       min(array_to_string(c.held, ',')) as modes,
                       bool_or(h.mode = 'ShareUpdateExclusiveLock') as like_a_vacuum
                from wanted w
                join conflict c on c.wanted = w.mode
                join lock h on h.tag = w.tag and h.granted and h.mode = any (c.held) and h.who <> w.waiter
                group by 1, 2, 3
            ), way as (
                select waiter, blocker from edge union select waiter, blocker from held where of_a_row
            ), candidate as (
                select distinct m.who as ahead, a.pid, a.waitstart
                from lock m join lock a on a.tag = m.tag and not a.granted and a.who <> m.who
                where m.who in (select waiter from edge) and not $guarded
            ), victim as (
                select ahead, array_agg(distinct pid) as pids,
                       (extract(epoch from clock_timestamp() - min(waitstart)) * 1000)::bigint as waited_ms
                from candidate where ahead = any (pg_blocking_pids(pid))
                group by ahead
            ), prepared as (
                select x.virtualtransaction, p.*
                from lock x join pg_prepared_xacts p on p.transaction = x.transactionid
                where x.pid is null and x.locktype = 'transactionid'
            )
            select e.waiter, e.blocker, h.blocker is not null as hard, w.waits_for, w.waited_ms, w.running_ms,
                   h.tag as held_tag, h.within as held_within, h.modes as held_modes,
                   coalesce(a.backend_type = 'autovacuum worker',
                            h.like_a_vacuum and a.usesysid is null and a.datid is not null, false) as autovacuum,
                   v.pids as victims, v.waited_ms as victims_waited_ms,
                   $guarded as guarded, $flyway as flyway_history, $waiting as flyway_waiting, $lock_client as lock_client,
                   $prepared, $backend
            from way e
            join wait w on w.who = e.waiter
            left join victim v on v.ahead = e.waiter
            left join held h on h.waiter = e.waiter and h.blocker = e.blocker
            left join prepared p on p.virtualtransaction = h.prepared_in
            left join pg_stat_activity a on a.pid = e.blocker
            where a.pid is not null or p.gid is not null
            order by hard desc, e.blocker""";

    /** In the instant in which a wait begins the server does not tell since when. */
    private static final String WAITED =
            "coalesce((extract(epoch from clock_timestamp() - min(l.waitstart)) * 1000)::bigint, 0)";

    /** A wait is no older than the statement that waits. */
    private static final String RUNNING = """
            (select (extract(epoch from clock_timestamp() - s.query_start) * 1000)::bigint from pg_stat_get_activity(l.who) s)""";

    /** Parameters: the guarded pids, when they began. A row for each session, or prepared transaction, that one of them waits for. */
    static String watchLook(int major) {
        return WATCH_LOOK
                .replace("$worker", worker(major))
                .replace("$conflict", CONFLICT)
                .replace("$wanted", WANTED)
                .replace("$waiters", "select waiter from edge")
                .replace("$history", IS_FLYWAY_LOCK)
                .replace("$waited", major >= 14 ? WAITED : "null::bigint")
                .replace("$running", major >= 14 ? "null::bigint" : RUNNING)
                .replace("$waitstart", major >= 14 ? "l.waitstart" : "null::timestamptz")
                .replace("$tag", TAG)
                .replace("$class", Integer.toString(GUARDED_CLASS))
                .replace("$somebody", IS_SOMEBODY_ELSE)
                .replace("$guarded", IS_GUARDED)
                .replace("$flyway", IS_FLYWAY_HISTORY)
                .replace("$waiting", IS_FLYWAY_WAITING)
                .replace("$lock_client", IS_LOCK_CLIENT)
                .replace("$prepared", PREPARED_COLUMNS)
                .replace("$backend", backendColumns(major));
    }

    /**
     * Parameters: what was waited for, each with the modes that are in the way; the pid that waits, twice. Who holds that now in
     * one of those modes; a session's advisory lock may be held across transactions, so not within one. And -1 if the one that
     * waits is gone.
     */
    static final String WATCH_HOLDERS = """
            select coalesce(l.pid, 0) as pid, s.tag as held_tag, s.modes as held_modes,
                   case when l.locktype <> 'advisory' then l.virtualtransaction end as held_within
            from unnest(?::text[], ?::text[]) s(tag, modes)
            join pg_locks l on l.granted and $tag = s.tag and l.mode = any (string_to_array(s.modes, ','))
            where l.pid is distinct from ?::int
            union all
            select -1, null, null, null where not exists (select 1 from pg_stat_get_activity(?))""".replace("$tag", TAG);

    // ---- looking at locks -------------------------------------------------------------------------------------------

    /** For the rest of the transaction, which ends with the inquiry or is rolled back to a savepoint after it. */
    private static final String INQUIRY_SETTINGS = """
            select set_config('lock_timeout', '500', true) is null, set_config('statement_timeout', '5000', true) is null,
                   <jit> pg_stat_clear_snapshot()""";

    /**
     * Every row of pg_locks that can block, with its session once per pid, and for those who wait whom they wait for. One pass
     * over the lock table; pg_blocking_pids, which stops it for a moment, once per waiting process.
     */
    private static final String LOCKS = """
            with lk as (
                select l.*, row_number() over (partition by l.pid) as nth, <tag> as tag
                from <locks> l
                where l.mode <> 'SIReadLock'
            ), px as (
                select x.virtualtransaction as vx, <prepared columns>
                from lk x join <prepared> p on p.transaction = x.transactionid
                where x.pid is null and x.locktype = 'transactionid'
            )
            select coalesce(l.pid, 0) as pid, l.pid is not distinct from pg_backend_pid() as own, l.tag, l.mode, l.granted,
                   l.fastpath, l.virtualtransaction, <waitstart> as waitstart,
                   case when not l.granted then pg_blocking_pids(l.pid) end as blocked_by,
                   l.locktype, l.database::bigint as database_oid, l.relation::bigint as relation_oid, l.page, l.tuple,
                   l.virtualxid, l.transactionid::text as transactionid, l.classid::bigint as classid, l.objid::bigint as objid,
                   l.objsubid, current_user::text as asked_by, px.*, <backend columns>, <names>
            from lk l
            left join <activity> a on a.pid = l.pid and l.nth = 1
            left join px on l.pid is null and px.vx = l.virtualtransaction
            <joins>""";

    /** Only for this database: in another one the same OID is something else. */
    private static final String NAMES =
            "d.datname::text as database, n.nspname::text as schema, c.relname::text as relation,"
                    + " c.relkind::text as relation_kind, <object> as object";

    private static final String NO_NAMES =
            "'oid ' || l.database as database, null::text as schema, null::text as relation, null::text as relation_kind,"
                    + " null::text as object";

    private static final String NAMES_JOINS = """
            left join pg_database d on d.oid = l.database
            left join (pg_class c join pg_namespace n on n.oid = c.relnamespace)
                on c.oid = l.relation
                and l.database in (0, (select oid from pg_database where datname = current_database()))""";

    private static final String IS_HERE =
            "l.locktype = 'object' and l.database in (0, (select oid from pg_database where datname = current_database()))";

    private static final String OBJECT =
            "case when " + IS_HERE + " then pg_describe_object(l.classid, l.objid, l.objsubid::int) end";

    /** Before version 14 pg_describe_object fails on an object that has been dropped meanwhile. */
    private static final String OBJECT_BEFORE_14 = "case when " + IS_HERE + """
             then case l.classid
                when 'pg_namespace'::regclass::oid then (select 'schema ' || nspname from pg_namespace where oid = l.objid)
                when 'pg_type'::regclass::oid then (select 'type ' || typname from pg_type where oid = l.objid)
                when 'pg_proc'::regclass::oid then (select 'function ' || proname from pg_proc where oid = l.objid)
                when 'pg_extension'::regclass::oid then (select 'extension ' || extname from pg_extension where oid = l.objid)
                when 'pg_database'::regclass::oid then (select 'database ' || datname from pg_database where oid = l.objid)
                when 'pg_authid'::regclass::oid then (select 'role ' || rolname from pg_roles where oid = l.objid) end end""";

    private static final String ACTIVITY_WITHOUT_CATALOGS = """
            (select s.*, 'oid ' || s.datid as datname, 'oid ' || s.usesysid as usename from pg_stat_get_activity(null) s)""";

    private static final String PREPARED_WITHOUT_CATALOGS = """
            (select s.transaction, s.gid, s.prepared, 'oid ' || s.ownerid as owner, 'oid ' || s.dbid as database
             from pg_prepared_xact() s)""";

    /** One row per name, in their order: its OID or null, the search_path, the database. */
    static final String RESOLVE_TABLES = """
            select to_regclass(t.name)::oid::bigint, current_setting('search_path'), current_database()
            from unnest(?::text[]) with ordinality as t (name, nth) order by t.nth""";

    /** An inquiry that changes nothing for the caller; inside a transaction even its locks are gone afterwards. */
    static String inquiry(int major, boolean inTransaction, String query) {
        String settings =
                INQUIRY_SETTINGS.replace("<jit>", major >= 11 ? "set_config('jit', 'off', true) is null," : "");
        return inTransaction
                ? "savepoint pglock; " + settings + "; " + query + "; " + ROLLBACK_TO_SAVEPOINT
                : settings + "; " + query;
    }

    /** @param catalogs whether catalogs may be read; while one is locked, only the functions below the views answer */
    static String locks(int major, boolean catalogs) {
        return LOCKS.replace("<locks>", catalogs ? "pg_locks" : "pg_lock_status()")
                .replace("<activity>", catalogs ? "pg_stat_activity" : ACTIVITY_WITHOUT_CATALOGS)
                .replace("<prepared>", catalogs ? "pg_prepared_xacts" : PREPARED_WITHOUT_CATALOGS)
                .replace("<names>", catalogs ? NAMES : NO_NAMES)
                .replace("<joins>", catalogs ? NAMES_JOINS : "")
                .replace("<object>", major >= 14 ? OBJECT : OBJECT_BEFORE_14)
                .replace("<waitstart>", major >= 14 ? "l.waitstart" : "null::timestamptz")
                .replace("<backend columns>", backendColumns(major))
                .replace("<prepared columns>", PREPARED_COLUMNS)
                .replace("<tag>", TAG);
    }

    private Sql() {}
}
