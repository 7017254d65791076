// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import io.pglock.LockClient;
import io.pglock.LockHandle;
import io.pglock.LockKey;
import javax.sql.DataSource;

/** One {@link LockClient} for all workers. */
final class ClientLocks implements Contender {

    private static final int MAX_LOCKS = 2 * HeldLocks.COUNT;

    private final LockClient client;

    ClientLocks(DataSource dataSource) {
        client = LockClient.create(dataSource, LockClient.Options.defaults().maxLocks(MAX_LOCKS));
    }

    @Override
    public Hold acquire(int worker, long key) {
        LockHandle held = client.advisory(LockKey.of(key)).acquire();
        return held::close;
    }

    @Override
    public void close() {
        client.close();
    }
}
