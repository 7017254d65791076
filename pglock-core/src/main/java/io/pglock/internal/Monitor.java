// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.Optional;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** The data source of a side connection that has its own URL ({@code monitorUrl}). Not API. */
public final class Monitor {

    private static final String PREFIX = "jdbc:postgresql:";

    private Monitor() {}

    /** Opens nothing yet; the URL has been checked. */
    public static DataSource dataSource(String url, Optional<String> user, Optional<String> password) {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setURL(url);
        user.ifPresent(source::setUser);
        password.ifPresent(source::setPassword);
        return source;
    }

    /** The URL, never in the message: it may carry a password. */
    static String checkedUrl(String url) {
        if (url.startsWith(PREFIX)) {
            try {
                new PGSimpleDataSource().setURL(url);
                return url;
            } catch (IllegalArgumentException notOne) {
                // The driver repeats the URL in its message, so that message is not passed on.
            }
        }
        throw new IllegalArgumentException(
                "is not a JDBC URL of PostgreSQL; write jdbc:postgresql://host:port/database");
    }

    /** What may be shown of it: neither user nor password nor any other property. */
    public static String shown(String url) {
        int query = url.indexOf('?');
        return query < 0 ? url : url.substring(0, query);
    }
}
