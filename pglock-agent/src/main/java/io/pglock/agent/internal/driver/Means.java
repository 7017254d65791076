// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import io.pglock.agent.internal.Environment;
import io.pglock.internal.SideDataSource;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.SQLException;
import java.util.Locale;
import java.util.Properties;
import java.util.stream.Collectors;
import org.postgresql.PGProperty;

/**
 * How the application has opened a connection, and how another one to the same database is opened: past its pools, so that
 * none of their connections is taken. It knows a password, and shows none. Thread-safe.
 */
final class Means extends SideDataSource {

    private final Environment environment;
    private final Driver driver;
    private final String url;
    private final String database;
    private volatile Properties properties;

    Means(Environment environment, Driver driver, String url, Properties properties) {
        this.environment = environment;
        this.driver = driver;
        this.url = url;
        this.database = database(url, properties);
        this.properties = copy(properties);
    }

    private static Properties copy(Properties properties) {
        Properties copy = new Properties();
        properties.stringPropertyNames().forEach(name -> copy.setProperty(name, properties.getProperty(name)));
        return copy;
    }

    /**
     * What tells databases apart, whatever else the URL says: the servers, as they are written there, and the name. No server is
     * asked: that would cost each connection a round trip, and in a transaction fix what that sees. Without any password.
     */
    static String database(String url, Properties properties) {
        Properties read = org.postgresql.Driver.parseURL(url, properties);
        if (read == null) {
            return url;
        }
        String servers = read.getProperty("PGHOST", "").toLowerCase(Locale.ROOT) + " " + read.getProperty("PGPORT");
        String name = read.getProperty("PGDBNAME", "");
        return servers + " " + (name.isEmpty() ? read.getProperty("user") : name) + bySocketFactory(read);
    }

    /**
     * Where a socket factory leads whatever the host is: as it is told. That is whatever the driver itself does not know, and so is
     * neither password nor user. A word too much parts what is one database, and a lock moves without need; a word too few would leave
     * it on another server.
     */
    private static String bySocketFactory(Properties read) {
        return read.getProperty("socketFactory") == null
                ? ""
                : read.stringPropertyNames().stream()
                        .filter(name -> name.startsWith("socketFactory") || PGProperty.forName(name) == null)
                        .sorted()
                        .map(name -> " " + name + "=" + read.getProperty(name))
                        .collect(Collectors.joining());
    }

    /** What tells the one that it leads to from others. */
    String database() {
        return database;
    }

    /** What tells ways to open a connection apart; a password is renewed, and says nothing about that. Not to be shown. */
    static String key(String url, Properties properties) {
        String user = properties.getProperty("user", "");
        return url + " " + user + " " + database(url, properties); // which properties beside the URL may say, too
    }

    /** Whether a connection of this user by this URL was opened in the same way. */
    boolean areOf(String itsUrl, String itsUser) {
        return url.equals(itsUrl) && itsUser.equals(properties.getProperty("user", itsUser));
    }

    /** The newest password counts. */
    void renew(Properties newest) {
        properties = copy(newest);
    }

    @Override
    public Connection getConnection() throws SQLException {
        try {
            Connection connection = environment.aside(() -> driver.connect(url, copy(properties)));
            if (connection == null) {
                throw new SQLException("the driver does not open " + this + " any more");
            }
            return connection;
        } catch (SQLException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new SQLException(e);
        }
    }

    /** Neither user nor password nor any other property. */
    @Override
    public String toString() {
        return shown(url);
    }

    /** What may be shown of a URL. */
    static String shown(String url) {
        return url.replaceFirst("\\?.*", "").replaceFirst("//[^/@]*@", "//");
    }
}
