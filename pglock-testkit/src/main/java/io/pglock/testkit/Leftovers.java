// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;

/** Looks for what a test has left behind, and clears it away so that the next test starts clean. */
final class Leftovers {
    private static final String SESSIONS = """
            select 'pid ' || pid || ' (' || application_name || ', ' || coalesce(state, '?') || '): ' || left(query, 80)
              from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()
               and coalesce(backend_type, 'client backend') = 'client backend'
             order by pid""";
    private static final String TERMINATE = """
            select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()
               and coalesce(backend_type, 'client backend') = 'client backend'""";
    private static final String ADVISORY_LOCKS = """
            select 'advisory lock ' || concat_ws(',', l.classid, l.objid, l.objsubid) || ' ' || l.mode
                   || case when l.granted then ' held by ' else ' awaited by ' end
                   || coalesce('pid ' || l.pid, 'a prepared transaction')
              from pg_locks l
             where l.locktype = 'advisory' and l.pid is distinct from pg_backend_pid()
               and l.database = (select oid from pg_database where datname = current_database())
             order by l.pid""";
    private static final String PREPARED = "select gid from pg_prepared_xacts where database = current_database()";

    private final Connection observer;
    private final Set<Thread> threadsBefore;
    private final Duration patience;
    private final Map<Leftover, List<String>> found = new EnumMap<>(Leftover.class);

    /** Looks with that observer, and gives what is ending already {@code patience} to end. */
    Leftovers(Connection observer, Set<Thread> threadsBefore, Duration patience) {
        this.observer = observer;
        this.threadsBefore = threadsBefore;
        this.patience = patience;
    }

    /** The threads of pglock that are alive: those from before the test are not its fault. */
    static Set<Thread> threads() {
        return Set.copyOf(LiveThreads.named("pglock"));
    }

    /** What is left on connections that are still open. Advisory locks of theirs would vanish with them. */
    void lookOn(List<Injected> connections) throws SQLException {
        for (Injected injected : connections) {
            add(Leftover.TRANSACTION, injected.endTransaction());
            add(Leftover.SETTING, injected.changes());
        }
        add(Leftover.ADVISORY_LOCK, goneSoon("advisory locks", () -> Rows.read(observer, ADVISORY_LOCKS)));
    }

    /** What is left once everything has been closed. */
    void lookAround() throws SQLException {
        add(Leftover.SESSION, goneSoon("sessions", () -> Rows.read(observer, SESSIONS)));
        Rows.read(observer, TERMINATE);
        List<String> prepared = Rows.read(observer, PREPARED);
        add(Leftover.PREPARED_TRANSACTION, prepared);
        Database.rollback(observer, prepared);
        add(Leftover.THREAD, goneSoon("threads", this::newThreads));
    }

    private List<String> newThreads() {
        return threads().stream()
                .filter(thread -> !threadsBefore.contains(thread))
                .map(Thread::getName)
                .toList();
    }

    /** Backends and threads end a moment after they were told to, and what was not there at a look has not been left. */
    private List<String> goneSoon(String what, Callable<List<String>> left) {
        List<String> seen = new ArrayList<>();
        Await.within(patience, what + " to be gone", () -> {
            seen.clear();
            seen.addAll(left.call());
            return seen.isEmpty();
        });
        return seen;
    }

    private void add(Leftover kind, List<String> names) {
        if (!names.isEmpty()) {
            found.computeIfAbsent(kind, absent -> new ArrayList<>()).addAll(names);
        }
    }

    /** Fails if something was found that the test had not announced. */
    void verify(Set<Leftover> announced) {
        found.keySet().removeAll(announced);
        if (!found.isEmpty()) {
            var message = new StringBuilder("the test has left behind:");
            found.forEach((kind, names) -> {
                message.append("\n  ").append(kind);
                names.forEach(name -> message.append("\n    ").append(name));
            });
            throw new AssertionError(message);
        }
    }
}
