// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/** A connection for each worker, which nobody else uses. */
final class Connections implements AutoCloseable {

    private final List<Connection> connections = new ArrayList<>();

    Connections(DataSource dataSource, int workers) throws SQLException {
        for (int worker = 0; worker < workers; worker++) {
            connections.add(dataSource.getConnection());
        }
    }

    /**
     * A pool that has a connection for each worker from the start, for those of the peers that borrow one for each statement or
     * transaction.
     */
    static HikariDataSource pool(DataSource dataSource, int workers) throws SQLException {
        var config = new HikariConfig();
        config.setDataSource(dataSource);
        config.setMaximumPoolSize(workers);
        config.setMinimumIdle(workers);
        var pool = new HikariDataSource(config);
        // it opens them only when they are asked for, and few at a time
        new Connections(pool, workers).close();
        return pool;
    }

    List<Connection> all() {
        return List.copyOf(connections);
    }

    @Override
    public void close() throws SQLException {
        for (Connection connection : connections) {
            connection.close();
        }
    }
}
