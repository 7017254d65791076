// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

/** Every statement of pglock-cli. Lower case, bound or quoted, never pasted. Not API. */
public final class Sql {

    // ---- pglock doctor ----------------------------------------------------------------------------------------------

    /** What concerns the server and the role, in one row. */
    public static final String DOCTOR_FACTS = """
            select current_user as role,
                   current_database() as database,
                   pg_is_in_recovery() as standby,
                   pg_backend_pid() as pid,
                   current_setting('is_superuser') = 'on' as superuser,
                   pg_has_role(current_user, 'pg_signal_backend', 'usage') as may_signal,
                   pg_has_role(current_user, 'pg_read_all_stats', 'usage') as may_see,
                   (select setting::bigint from pg_settings where name = 'deadlock_timeout') as deadlock_timeout_ms,
                   (select setting::bigint from pg_settings where name = 'idle_in_transaction_session_timeout') as idle_timeout_ms,
                   (select setting::bigint from pg_settings where name = 'track_activity_query_size') as query_size,
                   current_setting('log_lock_waits') = 'on' as logs_lock_waits,
                   current_setting('max_locks_per_transaction')::bigint as locks_each,
                   current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint as sessions,
                   (select count(*) from pg_locks where not fastpath and mode <> 'SIReadLock') as locks_in_use,
                   (extract(epoch from clock_timestamp()) * 1000)::bigint as clock_ms""";

    /** Who is locked when a whole partitioned table is: itself, its partitions and all their indexes. */
    public static final String DOCTOR_LARGEST_TREE = """
            with recursive member (root, oid) as (
                select c.oid, c.oid from pg_class c
                 where c.relkind = 'p' and not exists (select 1 from pg_inherits i where i.inhrelid = c.oid)
                union all
                select m.root, i.inhrelid from member m join pg_inherits i on i.inhparent = m.oid)
            select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name,
                   count(distinct m.oid) - 1 as partitions,
                   count(distinct m.oid) + count(x.indexrelid) as locks
              from member m
              join pg_class c on c.oid = m.root
              join pg_namespace n on n.oid = c.relnamespace
              left join pg_index x on x.indrelid = m.oid
             group by c.oid, n.nspname, c.relname
             order by locks desc
             limit 1""";

    /** Of all databases: one of another database holds no table of this one, but its snapshot holds up CONCURRENTLY. */
    public static final String DOCTOR_PREPARED = """
            select gid, owner, database, extract(epoch from clock_timestamp() - prepared) * 1000 as age_ms
              from pg_prepared_xacts
             order by prepared""";

    /**
     * Transactions of clients, the oldest first; of a session that the role may not see, neither age nor state is known. The query is in
     * the encoding of its own database: a function of texts would fail at what is no character here.
     */
    public static final String DOCTOR_TRANSACTIONS = """
            select pid, usename, datname, application_name, state,
                   extract(epoch from clock_timestamp() - xact_start) * 1000 as age_ms,
                   extract(epoch from clock_timestamp() - state_change) * 1000 as state_age_ms,
                   query
              from pg_stat_activity
             where xact_start is not null and pid <> pg_backend_pid() and backend_type = 'client backend'
             order by xact_start""";

    /** One that is being built is invalid as well; whoever builds it has the table locked so. */
    public static final String DOCTOR_INVALID_INDEXES = """
            select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as index,
                   x.indrelid::regclass::text as on_table,
                   c.relkind = 'I' as partitioned,
                   c.relname ~ '_cc(new|old)[0-9]*$' as left_behind,
                   x.indisexclusion as exclusion,
                   exists (select 1 from pg_constraint k where k.conindid = x.indexrelid) as of_constraint
              from pg_index x
              join pg_class c on c.oid = x.indexrelid
              join pg_namespace n on n.oid = c.relnamespace
             where not (x.indisvalid and x.indisready and x.indislive)
               and not exists (select 1
                                 from pg_locks l
                                where l.locktype = 'relation' and l.relation = x.indrelid and l.granted
                                  and l.database = (select d.oid from pg_database d where d.datname = current_database())
                                  and l.mode = 'ShareUpdateExclusiveLock'
                                  and not exists (select 1 from pg_stat_activity a
                                                   where a.pid = l.pid and a.backend_type = 'autovacuum worker'))
             order by 1""";

    // ---- pglock sql -------------------------------------------------------------------------------------------------

    /** What a commit would do, while it can still be tried again. */
    public static final String CHECK_CONSTRAINTS = "set constraints all immediate";

    public static final String COMMIT = "commit";

    public static final String ROLL_BACK = "rollback";

    /** @param timeout the name of a setting */
    public static String reset(String timeout) {
        return "reset " + timeout;
    }

    // ---- pglock trace -----------------------------------------------------------------------------------------------

    /** Every relation that is somebody's own: no catalog, no TOAST table. */
    public static final String TRACE_RELATIONS = """
            select c.oid::bigint, n.nspname::text, c.relname::text, c.relkind::text,
                   pg_catalog.pg_relation_filenode(c.oid)::bigint, i.indrelid::bigint
            from pg_catalog.pg_class c
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            left join pg_catalog.pg_index i on i.indexrelid = c.oid
            where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp_)'""";

    /**
     * The relations that this session has locked, with what {@link #TRACE_RELATIONS} says of them; those that it has dropped by
     * their OID alone. What this statement locks itself is of the catalogs.
     */
    public static final String TRACE_LOCKS = """
            select l.relation::bigint, n.nspname::text, c.relname::text, c.relkind::text,
                   pg_catalog.pg_relation_filenode(c.oid)::bigint, i.indrelid::bigint, l.mode
            from pg_catalog.pg_locks l
            left join pg_catalog.pg_class c on c.oid = l.relation
            left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            left join pg_catalog.pg_index i on i.indexrelid = c.oid
            where l.pid = pg_catalog.pg_backend_pid() and l.granted and l.locktype = 'relation'
              and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
              and (n.nspname is null
                   or n.nspname !~ '^pg_toast' and n.nspname <> 'information_schema'
                      and (n.nspname <> 'pg_catalog'
                           or l.mode not in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')))""";

    /** Parameter: a pid. The relations that it has locked at this moment, and whether it waits for the end of a transaction. */
    public static final String TRACE_SAMPLE = """
            select l.relation::bigint, l.mode, l.granted, l.locktype
            from pg_catalog.pg_locks l
            where l.pid = ? and (l.locktype = 'relation' or l.locktype = 'virtualxid' and not l.granted)""";

    /** @param modes what follows BEGIN: {@code isolation level serializable} */
    public static String transactionModes(String modes) {
        return "set transaction " + modes;
    }

    // ---- the key of a contended row ---------------------------------------------------------------------------------

    /** For the round trip, which is one transaction. */
    public static final String READ_BRIEFLY = """
            select set_config('lock_timeout', '100', true) is null, set_config('statement_timeout', '500', true) is null,
                   set_config('transaction_read_only', 'on', true) is null;
            """;

    /**
     * Parameters: the OID of a table. One row: a query for the primary key at a place in it, and the names of its columns; none
     * where there is no key, or one that this role may not read.
     */
    public static final String ROW_KEY = READ_BRIEFLY + """
            select 'select ' || string_agg(format('%I::text', a.attname), ', ' order by k.n)
                   || format(' from only %I.%I where ctid = ?::tid', n.nspname, c.relname),
                   array_agg(a.attname::text order by k.n)
            from pg_index i
            cross join lateral unnest(i.indkey) with ordinality as k(attnum, n)
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
            join pg_class c on c.oid = i.indrelid
            join pg_namespace n on n.oid = c.relnamespace
            where i.indrelid = ?::bigint::oid and i.indisprimary and c.relkind = 'r' and has_table_privilege(c.oid, 'select')
              and k.n <= coalesce((to_jsonb(i) ->> 'indnkeyatts')::int, i.indnatts)
            group by n.nspname, c.relname""";

    private Sql() {}
}
