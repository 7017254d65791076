// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/** A connection that was injected into a test, and how it was before. */
final class Injected {
    private static final String SETTINGS = """
            select name, setting from pg_settings where source = 'session' and setting is distinct from reset_val
            union all select 'role', current_user::text""";

    private final Connection connection;
    private final Map<String, String> before;

    Injected(Connection connection) {
        this.connection = connection;
        try {
            this.before = properties();
        } catch (SQLException e) {
            throw new IllegalStateException("an injected connection: " + e.getMessage(), e);
        }
    }

    Connection connection() {
        return connection;
    }

    /** Ends a transaction that was left open, and says that it was. */
    List<String> endTransaction() throws SQLException {
        if (isGone()) {
            return List.of();
        }
        TransactionState state = connection.unwrap(BaseConnection.class).getTransactionState();
        if (state == TransactionState.IDLE) {
            return List.of();
        }
        Rows.execute(connection, "rollback");
        return List.of("an injected connection is in "
                + (state == TransactionState.FAILED ? "a failed transaction" : "an open transaction"));
    }

    /** What has changed on it, if it still lives. */
    List<String> changes() throws SQLException {
        if (isGone()) {
            return List.of();
        }
        Map<String, String> after = properties();
        if (!connection.getAutoCommit()) {
            connection.rollback();
        }
        var changes = new ArrayList<String>();
        var names = new TreeMap<>(before);
        names.putAll(after);
        for (String name : names.keySet()) {
            String was = before.getOrDefault(name, "its default");
            String is = after.getOrDefault(name, "its default");
            if (!was.equals(is)) {
                changes.add("an injected connection has " + name + " = " + is + ", not " + was);
            }
        }
        return changes;
    }

    /** Closed by the test, or its backend terminated: nothing is left on it then. */
    private boolean isGone() throws SQLException {
        return connection.isClosed() || !connection.isValid(5);
    }

    private Map<String, String> properties() throws SQLException {
        var properties = new TreeMap<String, String>();
        properties.put("autocommit", String.valueOf(connection.getAutoCommit()));
        properties.put("read-only", String.valueOf(connection.isReadOnly()));
        properties.put("holdability", String.valueOf(connection.getHoldability()));
        properties.put("network timeout", connection.getNetworkTimeout() + " ms");
        for (String row : Rows.read(connection, SETTINGS)) {
            int bar = row.indexOf('|');
            properties.put(row.substring(0, bar), row.substring(bar + 1));
        }
        return properties;
    }
}
