// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

/** All SQL of this module. Not API. */
public final class Sql {

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
