// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.look;

import io.pglock.PgLock;
import io.pglock.PriorityScope;
import io.pglock.bench.Server;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * How many statements a second the watch sends while it guards 1 and 100 sessions that are in nobody's way: as many for 100 as
 * for 1, and none while nothing is guarded.
 */
public final class WatchLoad {

    private static final int SECONDS = 10;

    /** An idle session reports what it has done before, like connecting, after 10 s at the latest. */
    private static final int IDLE_REPORT = 12;

    private WatchLoad() {}

    /** Prints one line for each number of guarded sessions. */
    public static void main(String[] arguments) throws Exception {
        for (int sessions : new int[] {0, 1, 100}) {
            System.out.printf(
                    Locale.ROOT, "%3d guarded sessions: %.1f statements/s%n", sessions, statementsPerSecond(sessions));
        }
    }

    private static double statementsPerSecond(int count) throws SQLException, InterruptedException {
        try (Server server = new Server();
                Connection observer = server.connect()) {
            List<Connection> guarded = new ArrayList<>();
            List<PriorityScope> scopes = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                Connection connection = server.connect();
                PgLock.on(connection).prioritize(server.dataSource()).start().close(); // asks the session for its facts
                guarded.add(connection);
            }
            TimeUnit.SECONDS.sleep(IDLE_REPORT);
            long before = server.transactions(observer);
            long start = System.nanoTime();
            var dataSource = server.dataSource();
            for (Connection connection : guarded) {
                scopes.add(PgLock.on(connection).prioritize(dataSource).start());
            }
            TimeUnit.SECONDS.sleep(SECONDS);
            scopes.forEach(PriorityScope::close);
            double seconds = (System.nanoTime() - start) / 1e9;
            TimeUnit.SECONDS.sleep(2);
            // what reading the counter costs itself: one transaction
            long statements = server.transactions(observer) - before - 1;
            for (Connection connection : guarded) {
                connection.close();
            }
            return statements / seconds;
        }
    }
}
