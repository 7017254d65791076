// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/**
 * Plain JDBC: a connection for each worker, and two statements on it that stay prepared, so that the server parses them once. A
 * lock is waited for in the server's queue.
 */
final class PreparedPairs implements Contender {

    private final Connections connections;
    private final boolean ofKey;
    private final List<Pair> pairs = new ArrayList<>();

    private PreparedPairs(DataSource dataSource, int workers, String acquire, String release, boolean ofKey)
            throws SQLException {
        this.ofKey = ofKey;
        connections = new Connections(dataSource, workers);
        for (Connection connection : connections.all()) {
            pairs.add(new Pair(connection.prepareStatement(acquire), connection.prepareStatement(release)));
        }
    }

    static Contender locks(DataSource dataSource, int workers) throws SQLException {
        return new PreparedPairs(
                dataSource, workers, "select pg_advisory_lock(?)", "select pg_advisory_unlock(?)", true);
    }

    /** Nothing is locked: what any two round trips cost. */
    static Contender floor(DataSource dataSource, int workers) throws SQLException {
        return new PreparedPairs(dataSource, workers, "select 1", "select 1", false);
    }

    @Override
    public Hold acquire(int worker, long key) throws SQLException {
        Pair pair = pairs.get(worker);
        execute(pair.acquire(), key);
        return () -> execute(pair.release(), key);
    }

    private void execute(PreparedStatement statement, long key) throws SQLException {
        if (ofKey) {
            statement.setLong(1, key);
        }
        try (ResultSet row = statement.executeQuery()) {
            row.next();
        }
    }

    @Override
    public void close() throws SQLException {
        connections.close();
    }

    private record Pair(PreparedStatement acquire, PreparedStatement release) {}
}
