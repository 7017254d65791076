// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

/** All SQL of this module. For PostgreSQL 10 to 18. Not API. */
public final class Sql {

    private Sql() {}

    // ---- pglock sql -------------------------------------------------------------------------------------------------

    /** What a commit would do, while it can still be tried again. */
    public static final String CHECK_CONSTRAINTS = "set constraints all immediate";

    public static final String ROLL_BACK = "rollback";

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
}
