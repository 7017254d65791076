// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Who holds and who waits for what, as a table that can be read in the message of a failed test. */
final class LockTable {
    private static final String SQL = """
            select coalesce(l.pid::text, 'prepared') as pid,
                   coalesce(a.application_name, p.gid, '') as session,
                   coalesce(a.state, '') as state,
                   l.locktype as type,
                   case
                     when l.locktype in ('relation', 'extend') then
                       case when l.database in (0, d.oid) then l.relation::regclass::text else l.relation::text end
                     when l.locktype = 'page' then l.relation::regclass || ' page ' || l.page
                     when l.locktype = 'tuple' then l.relation::regclass || ' (' || l.page || ',' || l.tuple || ')'
                     when l.locktype = 'transactionid' then l.transactionid::text
                     when l.locktype = 'virtualxid' then l.virtualxid
                     else concat_ws(',', l.classid, l.objid, l.objsubid)
                   end as object,
                   l.mode,
                   case when l.granted then 'held' else 'WAITS' end as "lock",
                   case when l.granted then '' else array_to_string(pg_blocking_pids(l.pid), ',') end as "blocked by",
                   coalesce(left(regexp_replace(a.query, '[[:space:]]+', ' ', 'g'), 60), '') as query
              from pg_locks l
              cross join (select oid from pg_database where datname = current_database()) d
              left join pg_stat_activity a on a.pid = l.pid
              left join pg_locks x on l.pid is null and x.virtualtransaction = l.virtualtransaction
                                  and x.locktype = 'transactionid' and x.granted
              left join pg_prepared_xacts p on p.transaction = x.transactionid
             where l.pid is distinct from pg_backend_pid()
               and coalesce(a.datid, l.database, d.oid) in (0, d.oid)
             order by l.pid nulls last, l.granted desc, l.locktype, object, l.mode""";

    private LockTable() {}

    /** The locks in this database. Never fails: it is asked for when something has failed already. */
    static String of(Connection observer) {
        try (PreparedStatement statement = observer.prepareStatement(SQL);
                ResultSet rows = statement.executeQuery()) {
            return "locks in " + observer.getCatalog() + ":\n" + format(rows);
        } catch (SQLException e) {
            return "locks: not available, " + e.getMessage();
        }
    }

    private static String format(ResultSet rows) throws SQLException {
        int columns = rows.getMetaData().getColumnCount();
        var table = new ArrayList<List<String>>();
        var header = new ArrayList<String>();
        for (int column = 1; column <= columns; column++) {
            header.add(rows.getMetaData().getColumnLabel(column));
        }
        table.add(header);
        while (rows.next()) {
            var row = new ArrayList<String>();
            for (int column = 1; column <= columns; column++) {
                row.add(String.valueOf(rows.getString(column)));
            }
            table.add(row);
        }
        return table.size() == 1 ? "(none)" : align(table);
    }

    private static String align(List<List<String>> table) {
        var aligned = new StringBuilder();
        for (List<String> row : table) {
            var line = new StringBuilder("  ");
            for (int column = 0; column < row.size(); column++) {
                int index = column;
                int width = table.stream()
                        .mapToInt(other -> other.get(index).length())
                        .max()
                        .orElse(0);
                String cell = row.get(column);
                line.append(cell).append(" ".repeat(width - cell.length() + 2));
            }
            aligned.append(line.toString().stripTrailing()).append('\n');
        }
        return aligned.toString();
    }
}
