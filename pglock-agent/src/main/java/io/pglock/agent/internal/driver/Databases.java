// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import io.pglock.LockGuard;
import io.pglock.agent.internal.Environment;
import io.pglock.internal.SideDataSource;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import org.postgresql.core.BaseConnection;

/** How the connections of this driver were opened. Thread-safe. */
final class Databases {

    private final Environment environment;
    private final Map<String, Means> byKey = new ConcurrentHashMap<>();
    private final WeakKeys<BaseConnection, Means> ofConnection = new WeakKeys<>();

    Databases(Environment environment) {
        this.environment = environment;
    }

    void opened(Driver driver, String url, Properties properties, BaseConnection connection) throws SQLException {
        if (!isPostgres(connection)) {
            ofConnection.put(connection, new Means(environment, driver, url, properties));
            return; // no lock is ever there
        }
        Means means = byKey.computeIfAbsent(
                Means.key(url, properties), key -> new Means(environment, driver, url, properties));
        means.renew(properties);
        ofConnection.put(connection, means);
    }

    /**
     * Whether it leads to PostgreSQL itself, 10 or newer, by what the server has said of itself to the driver: no statement is
     * sent. One that is closed leads nowhere else.
     */
    static boolean isPostgres(BaseConnection connection) throws SQLException {
        return LockGuard.serves(connection) || connection.isClosed();
    }

    /** The only one, if there is one only. */
    Optional<Means> only() {
        List<Means> all = List.copyOf(byKey.values());
        return all.size() == 1 ? Optional.of(all.get(0)) : Optional.empty();
    }

    /** What tells its database from others. */
    String nameOf(BaseConnection connection) throws SQLException {
        Optional<Means> means = meansOf(connection);
        if (means.isPresent()) {
            return means.get().database();
        }
        Properties properties = new Properties();
        properties.setProperty("user", connection.getMetaData().getUserName());
        return Means.database(connection.getMetaData().getURL(), properties);
    }

    /** Another connection to the same database. */
    DataSource like(BaseConnection connection) throws SQLException {
        Optional<Means> means = meansOf(connection);
        return means.isPresent() ? means.get() : new Unknown();
    }

    private Optional<Means> meansOf(BaseConnection connection) throws SQLException {
        Means means = ofConnection.get(connection);
        return means == null ? openedSince(connection) : Optional.of(means);
    }

    /**
     * Of a connection that was opened before the agent came: its pool may have opened another one since. Of several nobody knows
     * which is its own, for the driver does not tell what it was told beside the URL.
     */
    private Optional<Means> openedSince(BaseConnection connection) throws SQLException {
        String url = connection.getMetaData().getURL();
        String user = connection.getMetaData().getUserName();
        List<Means> same =
                byKey.values().stream().filter(means -> means.areOf(url, user)).toList();
        return same.size() == 1 ? Optional.of(same.get(0)) : Optional.empty();
    }

    /** Those that are open. */
    List<BaseConnection> connections() {
        return ofConnection.keys();
    }

    /** Of a connection that was opened before the agent came. */
    private static final class Unknown extends SideDataSource {

        @Override
        public Connection getConnection() throws SQLException {
            throw new SQLException(
                    "its connection was opened before the agent came, so nobody knows how to open another one;"
                            + " set monitorUrl, or wait until the pool has renewed it");
        }
    }

    @Override
    public String toString() {
        return byKey.values().stream()
                .map(Means::toString)
                .distinct()
                .sorted()
                .toList()
                .toString();
    }
}
