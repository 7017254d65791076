// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

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

    /** A pool that is never short of connections, as those of the peers that borrow one for each statement or transaction. */
    static HikariDataSource pool(DataSource dataSource, int workers) {
        var config = new HikariConfig();
        config.setDataSource(dataSource);
        config.setMaximumPoolSize(workers);
        config.setMinimumIdle(workers);
        return new HikariDataSource(config);
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
