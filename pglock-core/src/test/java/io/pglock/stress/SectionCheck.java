// SPDX-License-Identifier: Apache-2.0
package io.pglock.stress;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** What the traces of a {@link SectionLog} prove. */
final class SectionCheck {

    /** A section lasts until it is left, or until the session that holds its lock is killed. */
    private static final String CLAIMS = """
            with killed as (
                select pid, min(at) as at, min(done) as done from kill where signalled group by pid),
            claim as (
                select s.*, k.at as killed, k.done as killed_for_sure, least(s.departed, k.at) as until
                from section s left join killed k on k.pid = s.pid)
            """;

    /** Each is looked at against the longest of those that were entered before. */
    private static final String OVERLAPS = CLAIMS + """
            , seen as (
                select c.*,
                       max(until) over earlier as until_any,
                       max(until) filter (where not shared) over earlier as until_exclusive
                from claim c
                where until > entered
                window earlier as (partition by key order by entered, id rows between unbounded preceding and 1 preceding))
            select 'overlap: ' || to_jsonb(s)::text || ' with ' || (
                       select string_agg(to_jsonb(o)::text, ' and ') from claim o
                       where o.key = s.key and o.id <> s.id and o.entered < s.until and o.until > s.entered
                         and not (o.shared and s.shared))
            from seen s
            where entered < case when shared then until_exclusive else until_any end
            order by id limit 5""";

    private static final String TOKENS = CLAIMS + """
            , seen as (
                select c.*,
                       max(token) over earlier as token_any,
                       max(token) filter (where not shared) over earlier as token_exclusive
                from claim c
                where token is not null
                window earlier as (partition by key order by entered, id rows between unbounded preceding and 1 preceding))
            select 'fencing token not greater than before: ' || to_jsonb(s)::text from seen s
            where token <= case when shared then token_exclusive else token_any end
            order by id limit 5""";

    private static final String UNTOLD = CLAIMS + """
            select 'never told: ' || to_jsonb(c)::text from claim c
            where departed > killed_for_sure and not told
            order by id limit 5""";

    private static final String TOLD_WITHOUT_REASON = CLAIMS + """
            select 'told, though nobody killed its session: ' || to_jsonb(c)::text from claim c
            where told and killed is null
            order by id limit 5""";

    private static final String NOT_LEFT = """
            select 'never left: ' || to_jsonb(s)::text from section s where departed is null order by id limit 5""";

    private static final String COUNTS = """
            select (select count(*) from section) || ' sections, '
                   || (select count(*) from section where shared) || ' of them shared, '
                   || (select count(*) from section where token is not null) || ' with a fencing token, '
                   || (select count(*) from section where told) || ' lost and told, '
                   || (select count(*) from kill where signalled) || ' sessions killed; '
                   || 'sections by holder: ' || (
                       select string_agg(holder || ' ' || n, ', ' order by holder)
                       from (select split_part(holder, '/', 1) as holder, count(*) as n from section group by 1) s)""";

    private SectionCheck() {}

    /** What is wrong, a line for each. */
    static List<String> failures(Connection connection) throws SQLException {
        List<String> failures = new ArrayList<>();
        for (String sql : List.of(OVERLAPS, TOKENS, UNTOLD, TOLD_WITHOUT_REASON, NOT_LEFT)) {
            failures.addAll(lines(connection, sql));
        }
        return failures;
    }

    /** What has happened, in numbers. */
    static String counts(Connection connection) throws SQLException {
        return lines(connection, COUNTS).get(0);
    }

    static List<String> lines(Connection connection, String sql) throws SQLException {
        List<String> lines = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                lines.add(rows.getString(1));
            }
        }
        return lines;
    }
}
