// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.util.Map;
import java.util.Properties;
import org.postgresql.Driver;
import org.postgresql.PGProperty;
import org.postgresql.ds.PGSimpleDataSource;

/** How to reach one server: everything of a JDBC URL except the database, which differs for every test class. */
record Endpoint(String host, int port, String parameters, String user, String password, String maintenanceDatabase) {

    /** Takes a URL apart; user and password come from it or from the system properties named in {@link PostgresServer}. */
    static Endpoint parse(String url) {
        Properties parsed = Driver.parseURL(url, null);
        if (parsed == null || !url.startsWith("jdbc:postgresql://")) {
            throw new IllegalArgumentException(
                    "pglock.test.url: expected jdbc:postgresql://host:port/database?user=...&password=...");
        }
        String user = parsed.getProperty(
                PGProperty.USER.getName(), System.getProperty("pglock.test.user", System.getProperty("user.name")));
        String password =
                parsed.getProperty(PGProperty.PASSWORD.getName(), System.getProperty("pglock.test.password", ""));
        return new Endpoint(
                parsed.getProperty(PGProperty.PG_HOST.getName(), "localhost"),
                Integer.parseInt(parsed.getProperty(PGProperty.PG_PORT.getName(), "5432")),
                parametersWithoutCredentials(url),
                user,
                password,
                parsed.getProperty(PGProperty.PG_DBNAME.getName(), user));
    }

    private static String parametersWithoutCredentials(String url) {
        int question = url.indexOf('?');
        var kept = new StringBuilder();
        if (question >= 0) {
            for (String parameter : url.substring(question + 1).split("&", -1)) {
                if (!parameter.isEmpty() && !parameter.startsWith("user=") && !parameter.startsWith("password=")) {
                    kept.append(kept.isEmpty() ? "?" : "&").append(parameter);
                }
            }
        }
        return kept.toString();
    }

    String url(String database) {
        return "jdbc:postgresql://" + host + ":" + port + "/" + database + parameters;
    }

    /** The same server through something in front of it that has to read along: without encryption. */
    Endpoint through(String otherHost, int otherPort) {
        String plain = parameters + (parameters.isEmpty() ? "?" : "&") + "sslmode=disable&gssEncMode=disable";
        return new Endpoint(otherHost, otherPort, plain, user, password, maintenanceDatabase);
    }

    Endpoint as(String otherUser, String otherPassword) {
        return new Endpoint(host, port, parameters, otherUser, otherPassword, maintenanceDatabase);
    }

    PGSimpleDataSource dataSource(String database, Map<PGProperty, String> properties) {
        var dataSource = new PGSimpleDataSource();
        dataSource.setUrl(url(database));
        dataSource.setUser(user);
        dataSource.setPassword(password);
        properties.forEach(dataSource::setProperty);
        return dataSource;
    }
}
