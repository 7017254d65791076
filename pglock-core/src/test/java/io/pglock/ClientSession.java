// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.testkit.Scenario;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/** The session of a {@link LockClient} as others see it on the server: by its name. Thread-safe, as the connection is. */
record ClientSession(Connection observer, String name) {

    /** That of the client whose {@link LockClient.Options#name} is this. */
    static ClientSession of(Scenario scenario, String name) {
        return new ClientSession(scenario.observer(), name + " pglock");
    }

    /** Its process id, or {@code []} while there is none. */
    List<String> pids() throws SQLException {
        return Held.column(observer, "select pid" + mine());
    }

    String pid() throws SQLException {
        List<String> pids = pids();
        if (pids.size() != 1) {
            throw new AssertionError("expected one session " + name + ", not " + pids);
        }
        return pids.get(0);
    }

    /** The keys of the advisory locks that it holds, with {@code shared} where they are; without what clients tell each other by. */
    List<String> locks() throws SQLException {
        return Held.column(
                observer,
                "select (l.classid::bigint << 32 | l.objid::bigint) || case l.mode when 'ShareLock' then ' shared' else '' end"
                        + " from pg_locks l where l.locktype = 'advisory' and l.granted and l.classid <> 1885826145"
                        + " and l.pid in (select pid" + mine() + ") order by 1");
    }

    /** Ends it, without waiting until it is gone. */
    String terminate() throws SQLException {
        String pid = pid();
        Held.execute(observer, "select pg_terminate_backend(" + pid + ")");
        return pid;
    }

    void cancel() throws SQLException {
        Held.execute(observer, "select pg_cancel_backend(pid)" + mine());
    }

    private String mine() {
        return " from pg_stat_get_activity(null) a where application_name = '" + name
                + "' and a.datid = (select datid from pg_stat_get_activity(pg_backend_pid()))";
    }
}
