// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.Optional;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A side connection that has its own URL ({@code monitorUrl}), and its data source once somebody wants that: settings are read
 * also where there is no driver. Thread-safe. Not API.
 */
public final class Monitor {

    private static final String PORT =
            "0*(?:[1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])";

    /** A host, also an IPv6 address in brackets, with or without a port: as the driver takes it apart. */
    private static final String ADDRESS = "(?:[^,/?:]*|[^,/?]*\\][^,/?:\\]]*|[^,/?]*:" + PORT + ")";

    private static final Pattern URL = Pattern.compile(
            "jdbc:postgresql:(?:[^/?][^?]*|/{2,3}|//" + ADDRESS + "(?:," + ADDRESS + ")*/[^/?]*)?(?:\\?.*)?",
            Pattern.DOTALL);

    /** In them a percent sign is one, before the zone of an IPv6 address. */
    private static final Pattern HOSTS = Pattern.compile("//[^/?]*");

    private static final Pattern BARE_PERCENT = Pattern.compile("%(?![0-9a-fA-F]{2})");

    private static final String NO_URL = "is not a JDBC URL of PostgreSQL; write jdbc:postgresql://host:port/database";

    private static final String NO_CODE = "has a % that no two hexadecimal digits follow; write %25 for a %";

    private static final String NAMES_A_USER =
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
        Optional<String> wrong = mistake(url).or(() -> theDriverTakes(url) ? Optional.empty() : Optional.of(NO_URL));
        wrong.ifPresent(why -> {
            throw new IllegalArgumentException(why);
        });
        return url;
    }

    /**
     * What is wrong with it, as far as that shows where no driver is; without the URL. Before a driver is asked: it writes what it
     * does not understand to its log, with the password.
     */
    public static Optional<String> mistake(String url) {
        if (namesAUser(url)) {
            return Optional.of(NAMES_A_USER);
        }
        if (!URL.matcher(url).matches()) {
            return Optional.of(NO_URL);
        }
        return BARE_PERCENT.matcher(HOSTS.matcher(url).replaceFirst("")).find()
                ? Optional.of(NO_CODE)
                : Optional.empty();
    }

    /** As URLs of other kinds may: to the driver that is a part of the host's name, and would be shown as such. */
    private static boolean namesAUser(String url) {
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
