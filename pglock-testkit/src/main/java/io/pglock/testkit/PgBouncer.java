// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Assumptions;
import org.postgresql.PGProperty;

/**
 * A real PgBouncer in front of a database. Close it in the test: the sessions of its pool count as left behind.
 *
 * {@snippet :
 * try (PgBouncer bouncer = PgBouncer.startOrSkip(database, "transaction");
 *         Connection pooled = bouncer.dataSource().getConnection()) { ... }
 * }
 *
 * <p>This class is thread-safe.
 */
public final class PgBouncer implements AutoCloseable {
    private static final String PROGRAM = "pgbouncer";

    private final Database database;
    private final Path directory;
    private final Process process;
    private final int port;

    private PgBouncer(Database database, Path directory, Process process, int port) {
        this.database = database;
        this.directory = directory;
        this.process = process;
        this.port = port;
    }

    /**
     * Starts {@code pgbouncer} from the {@code PATH}, or skips the test if it is not there.
     *
     * @param poolMode {@code session}, {@code transaction} or {@code statement}
     */
    public static PgBouncer startOrSkip(Database database, String poolMode) {
        return startOrSkip(database, poolMode, Map.of());
    }

    /**
     * Starts {@code pgbouncer} from the {@code PATH}, or skips the test if it is not there.
     *
     * {@snippet :
     * PgBouncer.startOrSkip(database, "session", Map.of("default_pool_size", "2", "query_wait_timeout", "1"))
     * }
     *
     * @param poolMode {@code session}, {@code transaction} or {@code statement}
     * @param settings what else is in the section {@code [pgbouncer]} of its file, in place of the testkit's own
     */
    public static PgBouncer startOrSkip(Database database, String poolMode, Map<String, String> settings) {
        Assumptions.assumeTrue(isOnPath(), "needs pgbouncer on the PATH");
        try {
            Path directory = Files.createTempDirectory("testkit-pgbouncer");
            int port = freePort();
            Files.writeString(directory.resolve("pgbouncer.ini"), configuration(database, poolMode, port, settings));
            var bouncer = new PgBouncer(database, directory, launch(directory), port);
            bouncer.awaitReady();
            return bouncer;
        } catch (IOException e) {
            throw new IllegalStateException("pgbouncer: " + e.getMessage(), e);
        }
    }

    /** The port it listens on. */
    public int port() {
        return port;
    }

    /** The JDBC URL of the database through it, without user and password. */
    public String url() {
        return through().url();
    }

    /**
     * A plain source of connections through it, without server-side prepared statements, which older releases do not carry
     * from one transaction to the next.
     */
    public DataSource dataSource() {
        return through().dataSource(Map.of(PGProperty.PREPARE_THRESHOLD, "0"));
    }

    private Database through() {
        return database.through("127.0.0.1", port);
    }

    private static String configuration(Database database, String poolMode, int port, Map<String, String> settings) {
        var all = new LinkedHashMap<String, String>(Map.of(
                "listen_addr", "127.0.0.1",
                "listen_port", Integer.toString(port),
                "unix_socket_dir", "",
                "auth_type", "any",
                "pool_mode", poolMode,
                "ignore_startup_parameters", "extra_float_digits,options,search_path",
                "max_client_conn", "500",
                "default_pool_size", "20"));
        all.putAll(settings);
        return """
                [databases]
                %1$s = host=%2$s port=%3$d dbname=%1$s user=%4$s%5$s
                [pgbouncer]
                %6$s
                """.formatted(
                        database.name(),
                        database.server().host(),
                        database.server().port(),
                        database.user(),
                        database.password().isEmpty() ? "" : " password=" + database.password(),
                        all.entrySet().stream()
                                .map(setting -> setting.getKey() + " = " + setting.getValue())
                                .collect(Collectors.joining("\n")));
    }

    private static Process launch(Path directory) throws IOException {
        var command = new ArrayList<>(
                List.of(PROGRAM, directory.resolve("pgbouncer.ini").toString()));
        if ("root".equals(System.getProperty("user.name"))) {
            // It refuses to run as root, and has to read its configuration as somebody else.
            command.addAll(1, List.of("-u", "nobody"));
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("pgbouncer.log").toFile())
                .start();
    }

    private void awaitReady() {
        try {
            Await.until("pgbouncer to answer on port " + port, this::isReady, this::log);
        } catch (AssertionError | IllegalStateException e) {
            close();
            throw e;
        }
    }

    private boolean isReady() throws IOException {
        if (!process.isAlive()) {
            throw new IllegalStateException("pgbouncer has ended:\n" + log());
        }
        try (Connection connection = dataSource().getConnection()) {
            return connection.isValid(5);
        } catch (SQLException e) {
            return false;
        }
    }

    private String log() throws IOException {
        return Files.readString(directory.resolve("pgbouncer.log"));
    }

    /** Stops it, which ends its sessions on the server, and deletes its files. */
    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor();
            try (Stream<Path> files = Files.list(directory)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(directory);
        } catch (IOException e) {
            throw new IllegalStateException("pgbouncer: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean isOnPath() {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, PROGRAM)));
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
