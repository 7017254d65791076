// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.server;

import io.pglock.cli.internal.Address;
import io.pglock.cli.internal.Stop;
import io.pglock.cli.internal.server.Parameters.Given;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.postgresql.PGProperty;
import org.postgresql.core.BaseConnection;
import org.postgresql.util.HostSpec;

/** A PostgreSQL server and database, and as whom: what connections are made to. Thread-safe. Not API. */
public final class Server {

    private static final String LOCAL = "localhost";
    private static final String PORT = "5432";
    private static final List<String> SOCKET_FOLDERS = List.of("/var/run/postgresql", "/tmp");
    private static final String SECONDS = "10";
    /** A server that says nothing for so long, in ms, is lost. What is asked of it so ends by its own statement_timeout before. */
    private static final int LONGEST_SILENCE = 15_000;

    /** What libpq calls the servers to be chosen from, and what pgjdbc does. */
    private static final Map<String, String> SERVER_TYPES = Map.of(
            "any", "any",
            "read-write", "primary",
            "primary", "primary",
            "read-only", "secondary",
            "standby", "secondary",
            "prefer-standby", "preferSecondary");

    private final ServerSource source;

    private Server(ServerSource source) {
        this.source = source;
    }

    static Server of(Parameters parameters, boolean mayAsk) {
        quieten();
        parameters.get(Parameter.HOSTADDR).ifPresent(Server::refuseAddressOfItsOwn);
        parameters.add(Parameter.PORT, PORT, Parameters.BY_DEFAULT);
        parameters.add(
                Parameter.HOST, defaultHost(given(parameters, Parameter.PORT).value()), Parameters.BY_DEFAULT);
        parameters.add(Parameter.USER, System.getProperty("user.name", ""), Parameters.BY_DEFAULT);
        Given user = given(parameters, Parameter.USER);
        parameters.add(Parameter.DBNAME, user.value(), Parameters.BY_DEFAULT);
        parameters.add(Parameter.APPLICATION_NAME, "pglock", Parameters.BY_DEFAULT);
        parameters.add(Parameter.CONNECT_TIMEOUT, SECONDS, Parameters.BY_DEFAULT);
        return new Server(source(parameters, user, mayAsk));
    }

    /** The driver speaks English as we do, and what it would log is told as a message or not at all. */
    private static void quieten() {
        Locale.setDefault(Locale.Category.DISPLAY, Locale.ENGLISH);
        Quiet.DRIVER.setLevel(Level.OFF);
    }

    /** A logger that nobody refers to is forgotten, with its level. */
    private static final class Quiet {
        static final Logger DRIVER = Logger.getLogger("org.postgresql");
    }

    private static void refuseAddressOfItsOwn(Given address) {
        throw Stop.usage(address.from() + ": pglock knows no hostaddr. Give the address as the host.");
    }

    private static Given given(Parameters parameters, Parameter parameter) {
        return parameters.get(parameter).orElseThrow();
    }

    private static ServerSource source(Parameters parameters, Given user, boolean mayAsk) {
        Given host = given(parameters, Parameter.HOST);
        Given port = given(parameters, Parameter.PORT);
        Given database = given(parameters, Parameter.DBNAME);
        requireNoUrl("host", host);
        requireNoUrl("port", port);
        requireNoUrl("user", user);
        requireName(database);
        String[] hosts = hosts(host);
        int[] ports = ports(port, hosts.length);
        ServerSource source = new ServerSource(
                new Place(
                        List.of(hosts),
                        IntStream.of(ports).boxed().toList(),
                        host,
                        port,
                        database,
                        user,
                        parameters.get(Parameter.PASSWORD)),
                mayAsk);
        requireTheOnly(hosts, host);
        boolean local = isFolder(hosts[0]);
        source.setServerNames(local ? new String[] {LOCAL} : hosts);
        source.setPortNumbers(ports);
        source.setDatabaseName(database.value());
        source.setUser(user.value());
        PasswordFile.use(Path.of(given(parameters, Parameter.PASSFILE).value())).ifPresent(source::mention);
        // of a folder the driver knows nothing: it would look for localhost, which libpq does for its own folders only
        boolean unlike = hosts.length > 1 || local && !SOCKET_FOLDERS.contains(hosts[0]);
        parameters
                .get(Parameter.PASSWORD)
                .map(Given::value)
                .or(() -> unlike ? PasswordFile.find(source.place()) : Optional.empty())
                .ifPresent(source::setPassword);
        set(source, parameters, hosts.length);
        if (local) {
            // as with libpq, nothing on the way has to be encrypted
            source.setProperty(PGProperty.SSL_MODE, "disable");
            source.setProperty(PGProperty.GSS_ENC_MODE, "disable");
            source.setProperty(PGProperty.SOCKET_FACTORY, UnixSocketFactory.class.getName());
            source.setProperty(
                    PGProperty.SOCKET_FACTORY_ARG,
                    socket(hosts[0], Integer.toString(ports[0])).toString());
        }
        return source;
    }

    /** What psql takes for a connection string. It is not repeated: there may be a password in it. */
    private static void requireName(Given database) {
        requireNoUrl("database", database);
        String first = database.value().strip().replaceFirst("(?s)\\s*=.*", "");
        if (database.value().contains("=") && Parameter.named(first).isPresent()) {
            throw Stop.usage("The database (" + database.from() + ") is a connection string. Write --url"
                    + " postgresql://user@host:port/database, or --host, --port, --user and --database.");
        }
    }

    /** Not repeated either. */
    private static void requireNoUrl(String what, Given given) {
        if (Address.isUrl(given.value())) {
            throw Stop.usage("The " + what + " (" + given.from() + ") is a URL. Write --url"
                    + " postgresql://user@host:port/database.");
        }
    }

    private static void set(ServerSource source, Parameters parameters, int hosts) {
        int seconds = number(given(parameters, Parameter.CONNECT_TIMEOUT), "a number of seconds", 0);
        source.setProperty(PGProperty.CONNECT_TIMEOUT, Integer.toString(seconds));
        // as with libpq: of a connection that the network has forgotten nobody would ever hear
        source.setProperty(PGProperty.TCP_KEEP_ALIVE, "true");
        source.setProperty(PGProperty.SOCKET_FACTORY, KeptAliveFactory.class.getName());
        source.setProperty(
                PGProperty.LOGIN_TIMEOUT, Long.toString((long) seconds * hosts)); // that of all, libpq's is each one's
        parameters
                .get(Parameter.TARGET_SESSION_ATTRS)
                .ifPresent(wanted -> source.setProperty(PGProperty.TARGET_SERVER_TYPE, serverType(wanted)));
        for (Parameter parameter : Parameter.values()) {
            parameter
                    .property()
                    .ifPresent(property ->
                            parameters.get(parameter).ifPresent(given -> source.setProperty(property, given.value())));
        }
        parameters.driver().forEach((name, value) -> source.setProperty(property(name), value));
    }

    private static PGProperty property(String name) {
        return Optional.ofNullable(PGProperty.forName(name)).orElseThrow();
    }

    private static String serverType(Given wanted) {
        return Optional.ofNullable(SERVER_TYPES.get(wanted.value()))
                .orElseThrow(() -> Stop.usage("target_session_attrs (" + wanted.from() + ") is one of "
                        + String.join(
                                ", ", SERVER_TYPES.keySet().stream().sorted().toList()) + ", not "
                        + wanted.value() + "."));
    }

    private static String[] hosts(Given given) {
        return Arrays.stream(given.value().split(",", -1))
                .map(host -> host.isEmpty() ? LOCAL : host)
                .map(host -> host.contains(":") && !host.startsWith("[") && !isFolder(host) ? "[" + host + "]" : host)
                .toArray(String[]::new);
    }

    /** libpq's places for its sockets, as Debian and as everybody else has them. */
    private static String defaultHost(String port) {
        return SOCKET_FOLDERS.stream()
                .filter(folder -> Files.exists(socket(folder, port)))
                .findFirst()
                .orElse(LOCAL);
    }

    private static Path socket(String folder, String port) {
        return Path.of(folder, ".s.PGSQL." + port);
    }

    private static boolean isFolder(String host) {
        return host.startsWith("/");
    }

    private static void requireTheOnly(String[] hosts, Given given) {
        if (hosts.length > 1 && Arrays.stream(hosts).anyMatch(Server::isFolder)) {
            throw Stop.usage("The folder of a Unix socket (" + given.from() + ") cannot be one host of several.");
        }
    }

    private static int[] ports(Given given, int hosts) {
        String[] written = given.value().split(",", -1);
        if (written.length != 1 && written.length != hosts) {
            throw Stop.usage("There are " + hosts + " hosts and " + written.length + " ports (" + given.from()
                    + "). Give one port, or one for each host.");
        }
        int[] ports = new int[hosts];
        for (int i = 0; i < hosts; i++) {
            String port = written[written.length == 1 ? 0 : i];
            ports[i] = number(new Given(port.isEmpty() ? PORT : port, given.from()), "a port", 1);
            if (ports[i] > 65_535) {
                throw notA("a port", given);
            }
        }
        return ports;
    }

    private static int number(Given given, String what, int least) {
        try {
            int number = Integer.parseInt(given.value());
            if (number >= least) {
                return number;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw notA(what, given);
    }

    private static Stop notA(String what, Given given) {
        return Stop.usage("\"" + given.value() + "\" (" + given.from() + ") is not " + what + ".");
    }

    /** Where the guard and the lock client get their connections. What they throw says where it was tried. */
    public DataSource dataSource() {
        return source;
    }

    /**
     * A new connection, in autocommit. The caller closes it.
     *
     * @throws SQLException whose message says where it was tried, why it failed and what helps
     */
    public Connection connect() throws SQLException {
        return source.getConnection();
    }

    /**
     * As {@link #connect()}, for what is answered within seconds: when the server falls silent, that is a failure, and no waiting
     * for ever.
     */
    public Connection connectToLook() throws SQLException {
        Connection connection = connect();
        connection.setNetworkTimeout(Runnable::run, LONGEST_SILENCE);
        return connection;
    }

    /**
     * {@code db1:5432, database shop, as ann}; of several hosts the one that this connection leads to.
     *
     * @param connection one of this server's
     */
    public String describe(Connection connection) throws SQLException {
        Place place = source.place();
        if (place.hosts().size() > 1) {
            HostSpec host =
                    connection.unwrap(BaseConnection.class).getQueryExecutor().getHostSpec();
            place = place.at(host.getHost(), host.getPort());
        }
        return place.toString();
    }
}
