// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.server;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** A PostgreSQL server and database, and as whom: what connections are made to. Not API. */
public final class Server {

    private final PGSimpleDataSource dataSource;

    private Server(PGSimpleDataSource dataSource) {
        this.dataSource = dataSource;
    }

    static Server of(ServerOptions options, Map<String, String> environment) {
        PGSimpleDataSource source = new PGSimpleDataSource();
        if (options.url != null) {
            source.setURL(options.url);
        }
        source.setApplicationName("pglock");
        Optional.ofNullable(environment.get("PGUSER")).ifPresent(source::setUser);
        Optional.ofNullable(environment.get("PGPASSWORD")).ifPresent(source::setPassword);
        return new Server(source);
    }

    /** Where the guard and the lock client get their connections. */
    public DataSource dataSource() {
        return dataSource;
    }

    /** A new connection, in autocommit. The caller closes it. */
    public Connection connect() throws SQLException {
        return dataSource.getConnection();
    }
}
