// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.server;

import io.pglock.cli.internal.Stop;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.postgresql.PGProperty;

/**
 * Reads what a URL says: {@code postgresql://user:password@host:port/database?parameter=value} as libpq has it, and pgjdbc's
 * {@code jdbc:postgresql://host:port/database?property=value}. No message repeats the URL: a password may be in it. Stateless.
 *
 * @see <a href="https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS">Connection URIs</a>
 */
final class ServerUrl {

    private static final String JDBC = "jdbc:";
    private static final List<String> SCHEMES = List.of("postgresql:", "postgres:");

    private ServerUrl() {}

    /** Whether a database's name is one in truth, as psql has it. */
    static boolean isUrl(String text) {
        return text.startsWith(JDBC) || SCHEMES.stream().anyMatch(scheme -> text.startsWith(scheme + "//"));
    }

    /** @param from what it was given as: {@code --url} */
    static Parameters read(String url, String from) {
        String rest = url.startsWith(JDBC) ? url.substring(JDBC.length()) : url;
        String scheme = SCHEMES.stream()
                .filter(rest::startsWith)
                .findFirst()
                .orElseThrow(() -> Stop.usage(from
                        + ": not the URL of a PostgreSQL server. Write postgresql://host:port/database or"
                        + " jdbc:postgresql://host:port/database."));
        rest = rest.substring(scheme.length());
        Parameters read = new Parameters();
        int query = rest.indexOf('?');
        requireEscaped(query < 0 ? rest : rest.substring(0, query), query < 0 ? "" : rest.substring(query + 1), from);
        if (query >= 0) {
            readQuery(rest.substring(query + 1), from, read);
            rest = rest.substring(0, query);
        }
        if (rest.startsWith("//")) {
            readAddress(rest.substring(2), from, read);
        } else {
            requireNoAddress(rest, from);
            read.add(Parameter.DBNAME, decoded(rest.startsWith("/") ? rest.substring(1) : rest, from), from);
        }
        return read;
    }

    /**
     * A password with such a character in it would be taken apart, and its parts for a port, a database, a parameter; which messages
     * tell. What follows a parameter that is known is a value: {@code user=ann@shop}.
     */
    private static void requireEscaped(String address, String query, String from) {
        int path = address.indexOf('/', 2);
        boolean inPath = path >= 0 && address.indexOf('@', path) >= 0;
        if (inPath || query.contains("@") && !Stream.of(query.split("&", -1)).allMatch(ServerUrl::isOfParameter)) {
            throw Stop.usage(from
                    + ": there is an @ behind a / or a ? in the URL. In a user name or a password these are written"
                    + " %2F, %3F and %40, and in the name of a database @ is.");
        }
    }

    /** Without them all of it would be the name of a database, which messages tell. */
    private static void requireNoAddress(String name, String from) {
        if (name.contains("@")) {
            throw Stop.usage(from + ": there is an @ in the URL, and no // before it. Write"
                    + " postgresql://user@host:port/database; in the name of a database @ is written %40.");
        }
    }

    private static boolean isOfParameter(String written) {
        String name = written.replaceFirst("=.*", "");
        return written.contains("=") && (Parameter.named(name).isPresent() || PGProperty.forName(name) != null);
    }

    private static void readAddress(String address, String from, Parameters read) {
        int slash = address.indexOf('/');
        String authority = slash < 0 ? address : address.substring(0, slash);
        if (slash >= 0) {
            read.add(Parameter.DBNAME, decoded(address.substring(slash + 1), from), from);
        }
        int at = authority.lastIndexOf('@');
        if (at >= 0) {
            String[] who = authority.substring(0, at).split(":", 2);
            read.add(Parameter.USER, decoded(who[0], from), from);
            if (who.length > 1) {
                read.add(Parameter.PASSWORD, decoded(who[1], from), from);
            }
        }
        readHosts(authority.substring(at + 1), from, read);
    }

    private static void readHosts(String written, String from, Parameters read) {
        List<String> hosts = new ArrayList<>();
        List<String> ports = new ArrayList<>();
        for (String each : written.split(",", -1)) {
            int colon = each.indexOf(':', Math.max(0, each.indexOf(']'))); // [::1]:5432
            hosts.add(decoded(colon < 0 ? each : each.substring(0, colon), from));
            ports.add(colon < 0 ? "" : port(each.substring(colon + 1), from));
        }
        if (hosts.stream().anyMatch(host -> !host.isEmpty())) {
            read.add(Parameter.HOST, String.join(",", hosts), from);
        }
        if (ports.stream().anyMatch(port -> !port.isEmpty())) {
            read.add(Parameter.PORT, String.join(",", ports), from);
        }
    }

    /** Not repeated where it is none: it may be what follows the user in front of an @ that was forgotten. */
    private static String port(String written, String from) {
        if (written.matches("\\d{0,5}")
                && (written.isEmpty() || Integer.parseInt(written) >= 1 && Integer.parseInt(written) <= 65_535)) {
            return written;
        }
        throw Stop.usage(
                from + ": what follows the colon of the host is not a port. In a user name or a password @, / and ? are"
                        + " written %40, %2F and %3F.");
    }

    private static void readQuery(String query, String from, Parameters read) {
        for (String each : query.split("&", -1)) {
            int equals = each.indexOf('=');
            if (equals > 0) {
                readParameter(
                        decoded(each.substring(0, equals), from),
                        decoded(each.substring(equals + 1), from),
                        from,
                        read);
            } else if (!each.isEmpty()) {
                throw Stop.usage(from + ": a parameter in the URL is written name=value, with & between two of them.");
            }
        }
    }

    private static void readParameter(String name, String value, String from, Parameters read) {
        Parameter.named(name).ifPresentOrElse(parameter -> read.add(parameter, value, from), () -> {
            if (PGProperty.forName(name) == null) {
                throw Stop.usage(
                        from + ": the URL has a parameter " + name + ", which pglock does not know. Leave it out.");
            }
            read.addDriver(name, value);
        });
    }

    private static String decoded(String text, String from) {
        try {
            // a plus is a plus in these URLs
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw Stop.usage(
                    from + ": the URL has a % that is not followed by two hexadecimal digits. Write %25 for it.");
        }
    }
}
