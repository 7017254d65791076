// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.PgSession;
import java.sql.SQLException;
import java.util.Optional;
import javax.sql.DataSource;

/** Who blocks a unit and what is done about it: once priority scopes are there. */
final class UnitWatch implements AutoCloseable {
    static UnitWatch start(String unit, PgSession session, DataSource side, LockPolicy policy, LockGuard.Messages messages) {
        return new UnitWatch();
    }
    Optional<String> explain(SQLException failure) { return Optional.empty(); }
    Optional<String> explain() { return Optional.empty(); }
    @Override public void close() {}
}
