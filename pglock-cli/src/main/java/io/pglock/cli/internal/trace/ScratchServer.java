// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.trace;

import io.pglock.cli.internal.ExitCode;
import io.pglock.cli.internal.Stop;
import io.pglock.cli.internal.script.Interruption;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import io.zonky.test.db.postgres.util.LinuxUtils;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A PostgreSQL that exists for one trace, with a password of its own on a free port of this host: from the binaries in the jar, or
 * from a directory. When it is closed it is stopped, and its data is deleted. Not thread-safe. Not API.
 */
public final class ScratchServer implements AutoCloseable {

    private static final String USER = "postgres";
    private static final long LONGEST_SECONDS = 60;
    private static final Duration LONGEST_START = Duration.ofSeconds(20);

    /** What is to be done to be rid of it. */
    private interface Ending {
        void end() throws IOException;
    }

    /** As long as one of them lasts the JVM does not end: nothing of it is to be left. */
    private static final class Life {

        private final CountDownLatch over = new CountDownLatch(1);
        private final Thread hook = new Thread(this::await, "pglock-scratch-end");

        static Life begin() {
            Life life = new Life();
            try {
                Runtime.getRuntime().addShutdownHook(life.hook);
            } catch (IllegalStateException goingDown) {
                throw new Interruption.Interrupted();
            }
            return life;
        }

        private void await() {
            try {
                over.await(2 * LONGEST_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        void end() {
            over.countDown();
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException goingDown) {
                // as it should be
            }
        }
    }

    private final int port;
    private final String password;
    private final Ending ending;
    private @Nullable Life life;

    private ScratchServer(int port, String password, Ending ending) {
        this.port = port;
        this.password = password;
        this.ending = ending;
    }

    /**
     * Starts it.
     *
     * @param binaries where {@code initdb} and {@code pg_ctl} are; else those in the jar, else those on the path
     * @throws Stop when it does not start
     * @throws Interruption.Interrupted when the JVM ends already
     */
    public static ScratchServer start(Optional<Path> binaries) {
        System.setProperty("slf4j.internal.verbosity", "ERROR"); // nobody wants to know that nobody logs
        byte[] random = new byte[16];
        new SecureRandom().nextBytes(random);
        String password = HexFormat.of().formatHex(random);
        Life life = Life.begin();
        try {
            Optional<Path> from = binaries.or(() -> isBundled() ? Optional.empty() : onPath());
            ScratchServer server =
                    undisturbed(() -> from.isPresent() ? installed(from.get(), password) : bundled(password));
            server.life = life;
            return server;
        } catch (IOException | RuntimeException e) {
            life.end();
            throw new Stop(
                    ExitCode.UNAVAILABLE,
                    "the scratch server does not start: " + e.getMessage()
                            + ". Name the folder of another PostgreSQL's initdb and pg_ctl with --postgres-bin, or trace on"
                            + " a server of your own, without --scratch.");
        }
    }

    /**
     * On a thread that nobody interrupts: what was begun is finished, so that nothing is left of it. Whoever is interrupted meanwhile
     * is so afterwards.
     */
    private static <T> T undisturbed(Callable<T> work) throws IOException {
        CompletableFuture<T> done = new CompletableFuture<>();
        new Thread(
                        () -> {
                            try {
                                done.complete(work.call());
                            } catch (Throwable e) {
                                done.completeExceptionally(e);
                            }
                        },
                        "pglock-scratch")
                .start();
        try {
            return done.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            throw e.getCause() instanceof RuntimeException failure ? failure : e;
        }
    }

    /** A source of connections to it, as its superuser. */
    public DataSource dataSource() {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setServerNames(new String[] {"localhost"});
        source.setPortNumbers(new int[] {port});
        source.setDatabaseName("postgres");
        source.setUser(USER);
        source.setPassword(password);
        source.setApplicationName("pglock");
        return source;
    }

    // ---- from the jar -----------------------------------------------------------------------------------------------

    private static boolean isBundled() {
        ClassLoader loader = ScratchServer.class.getClassLoader();
        return Stream.of("linux-x86_64", "linux-arm_64", "darwin-x86_64", "darwin-arm_64")
                .anyMatch(platform -> loader != null && loader.getResource("postgres-" + platform + ".txz") != null);
    }

    private static ScratchServer bundled(String password) throws IOException {
        Path cache = cache();
        System.setProperty("ot.epg.working-dir", cache.toString()); // else it makes one in the temporary folder, too
        Path home = Files.createTempDirectory("pglock-scratch");
        Path data = home.resolve("data");
        try {
            Path passwordFile = passwordFile(home, password);
            EmbeddedPostgres postgres = EmbeddedPostgres.builder()
                    .setOverrideWorkingDirectory(cache.toFile())
                    .setDataDirectory(data)
                    .setCleanDataDirectory(true)
                    .setRegisterShutdownHook(false)
                    .setLocaleConfig("locale", "C")
                    .setLocaleConfig("auth", "md5")
                    .setLocaleConfig("pwfile", passwordFile.toString())
                    .setConnectConfig("password", password)
                    .setServerConfig("max_prepared_transactions", "8")
                    .setPGStartupWait(LONGEST_START)
                    .setOutputRedirector(Redirect.DISCARD)
                    .setErrorRedirector(Redirect.DISCARD)
                    .start();
            Files.delete(passwordFile);
            return new ScratchServer(postgres.getPort(), password, () -> {
                try {
                    postgres.close();
                } finally {
                    delete(home);
                }
            });
        } catch (IOException | RuntimeException e) {
            for (Path binaries : unpacked(cache)) {
                stopWhatHasNotStartedInTime(home.resolve("log"), binaries, data, e);
            }
            delete(home);
            throw e;
        }
    }

    /**
     * Unpacked once; in a folder of the user's own, for what is in it is run. What unpacks it lets everybody write into the one that it is
     * given, so nobody is let into the one above.
     */
    private static Path cache() throws IOException {
        String folder = Optional.ofNullable(System.getenv("XDG_CACHE_HOME"))
                .filter(set -> !set.isBlank())
                .orElseGet(() -> System.getProperty("user.home") + "/.cache");
        Path own = Files.createDirectories(Path.of(folder, "pglock"));
        Files.setPosixFilePermissions(own, PosixFilePermissions.fromString("rwx------"));
        return Files.createDirectories(own.resolve("postgres"));
    }

    private static List<Path> unpacked(Path cache) throws IOException {
        try (Stream<Path> all = Files.list(cache)) {
            return all.map(each -> each.resolve("bin"))
                    .filter(bin -> Files.isExecutable(bin.resolve("pg_ctl")))
                    .toList();
        }
    }

    // ---- from a directory -------------------------------------------------------------------------------------------

    private static Optional<Path> onPath() {
        return Stream.of(Optional.ofNullable(System.getenv("PATH")).orElse("").split(File.pathSeparator, -1))
                .filter(folder -> !folder.isBlank())
                .map(Path::of)
                .filter(folder -> Files.isExecutable(folder.resolve("pg_ctl")))
                .findFirst();
    }

    private static ScratchServer installed(Path binaries, String password) throws IOException {
        if (!Files.isExecutable(binaries.resolve("pg_ctl")) || !Files.isExecutable(binaries.resolve("initdb"))) {
            throw new IllegalStateException(binaries + " has no pg_ctl and initdb");
        }
        Path home = Files.createTempDirectory("pglock-scratch");
        Path data = home.resolve("data");
        Path log = home.resolve("log");
        try {
            Path passwordFile = passwordFile(home, password);
            int port = freePort();
            run(
                    log,
                    binaries.resolve("initdb"),
                    "-D",
                    data.toString(),
                    "-U",
                    USER,
                    "-A",
                    "md5",
                    "-E",
                    "UTF8",
                    "--no-locale",
                    "--pwfile=" + passwordFile);
            run(
                    log,
                    binaries.resolve("pg_ctl"),
                    "start",
                    "-w",
                    "-D",
                    data.toString(),
                    "-l",
                    log.toString(),
                    "-o",
                    "-p " + port + " -c listen_addresses=localhost -c unix_socket_directories='' -c fsync=off"
                            + " -c max_prepared_transactions=8");
            Files.delete(passwordFile);
            return new ScratchServer(port, password, () -> {
                try {
                    stop(log, binaries, data);
                } finally {
                    delete(home);
                }
            });
        } catch (IOException | RuntimeException e) {
            stopWhatHasNotStartedInTime(log, binaries, data, e);
            delete(home);
            throw e;
        }
    }

    private static void stop(Path log, Path binaries, Path data) throws IOException {
        run(log, binaries.resolve("pg_ctl"), "stop", "-w", "-m", "immediate", "-D", data.toString());
    }

    private static void stopWhatHasNotStartedInTime(Path log, Path binaries, Path data, Exception failure) {
        if (Files.exists(data.resolve("postmaster.pid"))) {
            try {
                stop(log, binaries, data);
            } catch (IOException e) {
                failure.addSuppressed(e);
            }
        }
    }

    private static void run(Path log, Path program, String... options) throws IOException {
        List<String> command = new ArrayList<>();
        if (LinuxUtils.isUnshareAvailable()) {
            command.addAll(List.of("unshare", "-U")); // PostgreSQL does not run as root
        }
        command.add(program.toString());
        command.addAll(List.of(options));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(Redirect.appendTo(log.toFile()))
                .start();
        process.onExit()
                .completeOnTimeout(process, LONGEST_SECONDS, TimeUnit.SECONDS)
                .join();
        if (process.isAlive()) {
            process.destroyForcibly();
            throw new IOException(program + " has not ended within " + LONGEST_SECONDS + "s");
        }
        if (process.exitValue() != 0) {
            List<String> said = Files.readAllLines(log, StandardCharsets.UTF_8);
            throw new IOException(
                    program.getFileName() + ": " + (said.isEmpty() ? "failed" : said.get(said.size() - 1)));
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static Path passwordFile(Path home, String password) throws IOException {
        Path file = Files.createFile(
                home.resolve("password"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        return Files.writeString(file, password + "\n");
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        }
    }

    @Override
    public void close() {
        try {
            undisturbed(() -> {
                ending.end();
                return true;
            });
        } catch (IOException e) {
            throw new Stop(ExitCode.DEFECT, "the scratch server did not stop as it should: " + e.getMessage());
        } finally {
            if (life != null) {
                life.end();
            }
        }
    }
}
