// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A side connection that has its own URL ({@code monitorUrl}), and its data source once somebody wants that: settings are read
 * also where there is no driver. Thread-safe. Not API.
 */
public final class Monitor {

    private static final String PREFIX = "jdbc:postgresql:";

    /** What is wrong with a URL that {@link #namesAUser}. */
    public static final String NAMES_A_USER =
            "has a user before its host, which JDBC has not; write jdbc:postgresql://host:port/database, and set monitorUser and"
                    + " monitorPassword";

    private final String url;
    private final Optional<String> user;
    private final Optional<String> password;
    private @Nullable DataSource dataSource;

    /** @param url checked */
    public Monitor(String url, Optional<String> user, Optional<String> password) {
        this.url = url;
        this.user = user;
        this.password = password;
    }

    /** Always the same one; opens nothing yet. */
    public synchronized DataSource dataSource() {
        DataSource made = dataSource;
        if (made == null) {
            PGSimpleDataSource source = new PGSimpleDataSource();
            source.setURL(url);
            user.ifPresent(source::setUser);
            password.ifPresent(source::setPassword);
            made = source;
            dataSource = made;
        }
        return made;
    }

    /** The URL, never in the message: it may carry a password. */
    static String checkedUrl(String url) {
        if (namesAUser(url)) {
            throw new IllegalArgumentException(NAMES_A_USER);
        }
        if (url.startsWith(PREFIX) && theDriverTakes(url)) {
            return url;
        }
        throw new IllegalArgumentException(
                "is not a JDBC URL of PostgreSQL; write jdbc:postgresql://host:port/database");
    }

    /** As URLs of other kinds may: to the driver that is a part of the host's name, and would be shown as such. */
    public static boolean namesAUser(String url) {
        int begin = url.indexOf("//");
        return begin >= 0 && url.substring(begin + 2).split("[/?]", 2)[0].contains("@");
    }

    private static boolean theDriverTakes(String url) {
        try {
            new PGSimpleDataSource().setURL(url);
            return true;
        } catch (IllegalArgumentException notOne) {
            return false; // The driver repeats the URL in its message, so that message is not passed on.
        } catch (NoClassDefFoundError noDriver) {
            return true; // as far as anybody can tell here
        }
    }

    /** What may be shown of it: neither user nor password nor any other property. */
    public static String shown(String url) {
        int query = url.indexOf('?');
        return query < 0 ? url : url.substring(0, query);
    }
}
