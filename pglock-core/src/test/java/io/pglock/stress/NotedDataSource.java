// SPDX-License-Identifier: Apache-2.0
package io.pglock.stress;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.ds.PGSimpleDataSource;

/** Knows the session that it has opened last, which is that of the one client that uses it. Thread-safe. */
final class NotedDataSource extends PGSimpleDataSource {

    @java.io.Serial
    private static final long serialVersionUID = 1L;

    private volatile int pid;
    private transient volatile @Nullable Connection last;

    NotedDataSource(SectionLog.Access access) {
        setUrl(access.url());
        setUser(access.user());
        setPassword(access.password());
    }

    @Override
    public Connection getConnection() throws SQLException {
        Connection connection = super.getConnection();
        pid = connection.unwrap(PGConnection.class).getBackendPID();
        last = connection;
        return connection;
    }

    /** The last connection. */
    Connection last() {
        return Objects.requireNonNull(last);
    }

    /** The backend of the last connection. */
    int pid() {
        return pid;
    }
}
