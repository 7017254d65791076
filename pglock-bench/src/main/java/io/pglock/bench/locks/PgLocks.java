// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import io.pglock.LockHandle;
import io.pglock.LockKey;
import io.pglock.PgLock;
import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;

/** {@link PgLock} on a connection for each worker. */
final class PgLocks implements Contender {

    private final Connections connections;
    private final List<PgLock> locks;

    PgLocks(DataSource dataSource, int workers) throws SQLException {
        connections = new Connections(dataSource, workers);
        locks = connections.all().stream().map(PgLock::on).toList();
    }

    @Override
    public Hold acquire(int worker, long key) {
        LockHandle held = locks.get(worker).advisory(LockKey.of(key)).acquire();
        return held::close;
    }

    @Override
    public void close() throws SQLException {
        connections.close();
    }
}
