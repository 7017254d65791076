// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pglock.cli.Cli.Ended;
import io.pglock.testkit.Await;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How the command finds a server, and what it says when it cannot: on a server of its own that asks some roles for a password. */
@PostgresTest
class ConnectingTest {

    private static final String SECRET = "s3cret:w0rd";
    private static final String WRONG = "wr0ng";

    @TempDir
    private static Path folder;

    private static PostgresServer server;

    @BeforeAll
    static void startsAServer() throws Exception {
        Path rules = Files.writeString(folder.resolve("pg_hba.conf"), """
                local all     postgres       trust
                host all      postgres  all  trust
                host postgres ann       all  md5
                host postgres crowd     all  trust
                host shut     ann       all  md5
                local all     ann            md5
                """);
        server = PostgresServer.startEmbedded(
                Map.of("hba_file", rules.toString(), "unix_socket_directories", folder.toString()));
        try (Connection connection = server.maintenance().connect();
                Statement statement = connection.createStatement()) {
            statement.execute("create role ann login password '" + SECRET + "'");
            statement.execute("create role crowd login connection limit 0");
            statement.execute("create database shut");
            statement.execute("revoke connect on database shut from public");
        }
    }

    @AfterAll
    static void stopsIt() {
        server.close();
    }

    private static Cli ann() {
        return Cli.bare()
                .environment("PGHOST", server.host())
                .environment("PGPORT", Integer.toString(server.port()))
                .environment("PGDATABASE", "postgres")
                .environment("PGUSER", "ann");
    }

    private static Ended doctor(Cli cli, String... options) {
        return cli.run(Stream.concat(Stream.of("doctor"), Stream.of(options)).toArray(String[]::new));
    }

    private static void assertAnn(Ended ended) {
        assertThat(ended.succeeded().out()).contains("database postgres, as ann");
    }

    private static void assertFails(Ended ended, int code, String... said) {
        assertThat(ended.code()).as(ended.toString()).isEqualTo(code);
        assertThat(ended.out()).isEmpty();
        assertThat(ended.err().lines()).hasSize(1);
        assertThat(ended.err())
                .startsWith("pglock: ")
                .contains(said)
                .doesNotContain(SECRET, WRONG, "\tat ", "Exception");
    }

    private static String address() {
        return server.host() + ":" + server.port();
    }

    @Test
    void aUrlSaysItAll() {
        String encoded = SECRET.replace(":", "%3A");
        assertAnn(doctor(
                Cli.bare(), "--url", "postgresql://ann:" + encoded + "@" + address() + "/postgres?connect_timeout=5"));
        assertAnn(doctor(
                Cli.bare(),
                "--url",
                "jdbc:postgresql://" + address() + "/postgres?user=ann&password=" + encoded + "&tcpKeepAlive=true"));
        // what it leaves open comes from the environment, and an option on the command line is heard first
        Cli more = Cli.bare().environment("PGPASSWORD", SECRET).environment("PGUSER", "nobody");
        assertAnn(
                doctor(more, "--url", "postgresql://nobody@" + address() + "/nowhere", "-U", "ann", "-d", "postgres"));
        assertAnn(doctor(more, "-d", "postgres://ann@" + address() + "/postgres"));
    }

    /** The time to connect is for each of them. */
    @Test
    void aHostThatDoesNotAnswerIsPassedOver() throws IOException {
        InetAddress here = InetAddress.getLoopbackAddress();
        List<Socket> waiting = new ArrayList<>();
        try (ServerSocket full = new ServerSocket(0, 1, here)) {
            for (int i = 0; i < 4; i++) { // more than it queues
                Socket socket = new Socket();
                waiting.add(socket);
                try {
                    socket.connect(full.getLocalSocketAddress(), 200);
                } catch (SocketTimeoutException e) {
                    break;
                }
            }
            Cli two = ann().environment("PGPASSWORD", SECRET)
                    .environment("PGHOST", here.getHostAddress() + "," + server.host())
                    .environment("PGPORT", full.getLocalPort() + "," + server.port())
                    .environment("PGCONNECT_TIMEOUT", "2");
            assertThat(doctor(two).succeeded().out()).contains("as ann");
        } finally {
            for (Socket socket : waiting) {
                socket.close();
            }
        }
    }

    @Test
    void aUrlThatIsNoneIsNotRepeated() {
        assertFails(
                doctor(Cli.bare(), "--url", "mysql://ann:" + WRONG + "@db/shop"),
                1,
                "not the URL of a PostgreSQL server");
        assertFails(doctor(Cli.bare(), "--url", "postgresql://ann:" + WRONG + "%@db/shop"), 1, "Write %25 for it");
        assertFails(doctor(Cli.bare(), "--url", "postgresql://db/shop?sslmod=" + WRONG), 1, "a parameter sslmod");
        assertFails(doctor(Cli.bare(), "--url", "postgresql://db:" + WRONG + "/shop"), 1, "is not a port");
        for (String unescaped : new String[] {"pa/%s", "pa?%s", "%s?pa", "12/%s", "12?x=%s", "%s=1?a&pa", "p@a/%s"}) {
            assertFails(
                    doctor(Cli.bare(), "--url", "postgresql://ann:" + String.format(unescaped, WRONG) + "@db/shop"),
                    1,
                    "--url: there is an @ behind a / or a ? in the URL.");
        }
        assertFails(
                doctor(Cli.bare(), "--url", "postgresql://nowhere.invalid/shop?user=ann@shop&password=" + WRONG),
                69,
                "as ann@shop");
    }

    /** As psql takes it. */
    @Test
    void aServerThatIsWrittenWhereNoneIsExpectedIsNotRepeated() {
        String url = "postgresql://ann:" + WRONG + "@db/shop";
        String words = "host=db password=" + WRONG + " dbname=shop";
        for (String server : new String[] {url, words}) {
            for (String command : new String[] {"ls", "tree", "terminate"}) {
                assertFails(Cli.bare().run(command, server), 1, "--url asks for a server");
            }
            assertThat(doctor(Cli.bare(), server).err())
                    .contains("Unmatched argument")
                    .doesNotContain(WRONG);
            assertThat(Cli.bare().run(server).err()).doesNotContain(WRONG);
            String none = "one of the files is the address of a server; that is written --url URL.";
            for (String[] call : new String[][] {
                {"sql", server, "fix.sql"},
                {"sql", "--dry-run", server},
                {"trace", server},
                {"trace", "--scratch", "--schema", server, "/dev/null"}
            }) {
                assertFails(Cli.bare().run(call), 1, none);
            }
            assertFails(
                    ann().environment("PGPASSWORD", SECRET).run("run", "nightly", server, "--", "true"),
                    127,
                    "the command is the address of a server; that is written --url URL, before KEY.");
        }
        assertFails(
                ann().environment("PGPASSWORD", SECRET).run("run", "nightly", "--", "FOO=1 ./report"),
                127,
                "FOO=1 ./report: there is no such command");
        assertFails(Cli.bare().run("run", url, "--", "true"), 1, "KEY is the URL of a server");
        assertFails(
                doctor(Cli.bare(), "-d", words), 1, "The database (--database) is a connection string. Write --url");
        assertFails(doctor(Cli.bare().environment("PGDATABASE", words)), 1, "The database (PGDATABASE)");
        assertFails(Cli.bare().run("run", "--number", url, "--", "true"), 1, "KEY is the URL of a server");
        for (String[] option : new String[][] {
            {"--host", "The host (--host)"}, {"--port", "The port (--port)"}, {"--user", "The user (--user)"}
        }) {
            assertFails(doctor(Cli.bare(), option[0], url), 1, option[1] + " is a URL. Write --url");
        }
        assertFails(doctor(Cli.bare(), "--host", "db1," + url), 1, "The host (--host) is a URL");
        assertFails(doctor(Cli.bare().environment("PGHOST", url)), 1, "The host (PGHOST) is a URL");
        assertFails(doctor(Cli.bare(), "-d", "mysql" + url.substring(10)), 1, "The database (--database) is a URL");
        assertFails(doctor(Cli.bare(), "--service", url), 1, "--service: that is a URL, and no name of a service");
        assertFails(doctor(Cli.bare().environment("PGSERVICE", url)), 1, "PGSERVICE: that is a URL");
        for (String slashes : new String[] {"", "/"}) {
            String few = "postgresql:" + slashes + url.substring(13);
            for (String wrong : new String[] {few, "jdbc:" + few}) {
                assertFails(
                        doctor(Cli.bare(), "--url", wrong), 1, "--url: there is an @ in the URL, and no // before it");
            }
            assertFails(doctor(Cli.bare(), "-d", few), 1, "The database (--database) is a URL. Write --url");
        }
        for (String[] typed : new String[][] {{"--password=" + WRONG}, {"--password", WRONG}}) {
            assertThat(doctor(Cli.bare(), typed).err()).contains("'--password'").doesNotContain(WRONG);
        }
    }

    @Test
    void thePasswordMayBeInTheEnvironmentOrInAFileOfOnesOwn() throws IOException {
        assertAnn(doctor(ann().environment("PGPASSWORD", SECRET)));
        Path file = Files.writeString(
                folder.resolve("pgpass"),
                "# passwords\n*:1:*:*:" + WRONG + "\n" + server.host() + ":" + server.port() + ":postgres:ann:"
                        + SECRET.replace(":", "\\:") + "\n");
        Cli with = ann().environment("PGPASSFILE", file.toString());
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        assertAnn(doctor(with));
        // the driver would look for both in one line
        assertAnn(doctor(
                with, "--host", server.host() + "," + server.host(), "--port", "2," + server.port(), "--no-password"));
        // psql looks for it where HOME says, whoever the user is
        Path home = Files.createDirectories(folder.resolve("home"));
        Files.copy(file, home.resolve(".pgpass"), StandardCopyOption.COPY_ATTRIBUTES);
        assertAnn(doctor(ann().environment("HOME", home.toString())));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        assertFails(doctor(with, "--no-password"), 69, "others can read it too. chmod 600 " + file);
    }

    @Test
    void aHostMayBeTheFolderOfAUnixSocket(Scenario scenario) throws Exception {
        Cli socket = Cli.bare()
                .environment("PGHOST", folder.toString())
                .environment("PGPORT", Integer.toString(server.port()))
                .environment("PGUSER", "postgres")
                .environment("PGSSLMODE", "require");
        assertThat(doctor(socket).succeeded().out()).contains("ok    pooler: the connection is direct");
        Path colon = Files.createDirectories(folder.resolve("cloudsql/shop:here:db"));
        Path link = colon.resolve(".s.PGSQL." + server.port());
        Files.createSymbolicLink(link, folder.resolve(".s.PGSQL." + server.port()));
        assertThat(doctor(socket, "--host", colon.toString()).succeeded().out()).contains("connection is direct");
        assertFails(doctor(socket, "-p", "1"), 69, "there is no such socket", "Cannot connect to " + folder + ":1,");
        assertFails(doctor(socket, "--host", folder + ",db1"), 1, "cannot be one host of several");
        String patient = "trap 'echo told; exit 0' TERM; echo begun; while :; do sleep 0.05; done";
        try (RunningCli run = RunningCli.start(socket, "run", "report", "--", "sh", "-c", patient);
                Connection connection = server.maintenance().connect();
                Statement statement = connection.createStatement()) {
            run.printed("begun");
            statement.execute("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'");
            assertThat(run.ended()).extracting(Ended::code, Ended::out).containsExactly(69, "begun\ntold\n");
        }
    }

    /** Only of libpq's own folders it is the one of localhost. */
    @Test
    void thePasswordForAFolderIsThatOfTheFolder() throws IOException {
        Path file = Files.writeString(
                folder.resolve("of-folders"),
                "localhost:*:*:*:" + WRONG + "\n" + folder + ":*:*:ann:" + SECRET.replace(":", "\\:") + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        assertAnn(doctor(ann().environment("PGPASSFILE", file.toString()), "--host", folder.toString()));
        Files.writeString(file, "localhost:*:*:*:" + WRONG + "\n");
        assertFails(
                doctor(ann().environment("PGPASSFILE", file.toString()), "--host", folder.toString(), "--no-password"),
                69,
                "password");
    }

    @Test
    void aServiceIsASectionOfAFile() throws IOException {
        Path file = Files.writeString(
                folder.resolve("services"),
                "[other]\nhost=nowhere.invalid\n\n# the shop\n[shop]\nhost=" + server.host() + "\nport=" + server.port()
                        + "\ndbname=postgres\nuser=ann\npassword=" + SECRET + "\nconnect_timeout=5\n[bad]\nhots=x\n");
        // as with psql, it is heard before the environment and after the command line
        Cli elsewhere =
                Cli.bare().environment("PGSERVICEFILE", file.toString()).environment("PGHOST", "nowhere.invalid");
        assertAnn(doctor(elsewhere, "--service", "shop"));
        assertAnn(doctor(elsewhere.environment("PGSERVICE", "shop")));
        assertAnn(doctor(elsewhere.environment("PGSERVICE", "other"), "--url", "postgresql:///?service=shop"));
        assertAnn(doctor(
                elsewhere,
                "--service",
                "other",
                "--host",
                server.host(),
                "--port",
                Integer.toString(server.port()),
                "-d",
                "postgresql://ann:" + SECRET.replace(":", "%3A") + "@/postgres"));
        assertFails(doctor(elsewhere, "--service", "shopp"), 1, "there is no service shopp", file.toString());
        assertFails(doctor(elsewhere, "--service", "bad"), 1, "services line 13: there is no parameter hots");
    }

    @Test
    void whatIsWrongIsSaidInALineWithTheRemedy() throws IOException {
        assertFails(
                doctor(ann().environment("PGPASSWORD", WRONG)),
                69,
                "Cannot connect to " + address()
                        + ", database postgres, as ann: password authentication failed for user \"ann\"",
                "The password came from PGPASSWORD",
                "(Host from PGHOST, port from PGPORT, database from PGDATABASE, user from PGUSER.)");
        assertFails(
                doctor(ann(), "--no-password"), 69, "the server wants a password, and there is none. Set PGPASSWORD");
        assertFails(doctor(ann().environment("PGPASSWORD", SECRET), "-d", "shut"), 77, "GRANT CONNECT ON DATABASE");
        assertFails(
                doctor(ann(), "-U", "postgres", "-d", "nowhere"),
                69,
                "database \"nowhere\" does not exist",
                "from --database");
        assertFails(doctor(ann(), "-U", "bob"), 69, "no pg_hba.conf entry", "Name another role with --user");
        assertFails(doctor(ann(), "-U", "crowd"), 69, "too many connections for role");
        assertFails(
                doctor(Cli.bare(), "--host", "nowhere.invalid"),
                69,
                "there is no host of that name",
                "port by default");
        try (ServerSocket free = new ServerSocket(0)) {
            int port = free.getLocalPort();
            free.close();
            assertFails(
                    doctor(Cli.bare().environment("PGPORT", "" + port)),
                    69,
                    "Cannot connect to localhost:" + port,
                    "nobody listens there",
                    "Host by default, port from PGPORT");
        }
        try (ServerSocket silent = new ServerSocket(0)) {
            assertFails(
                    doctor(Cli.bare().environment("PGCONNECT_TIMEOUT", "1"), "-p", "" + silent.getLocalPort()),
                    69,
                    "Cannot connect to localhost:" + silent.getLocalPort());
        }
    }

    /** Else a network that forgets what is silent would leave it waiting for ever. */
    @Test
    void aConnectionIsKeptAliveWhileItIsSilentUnlessTheUrlSaysOtherwise() throws Exception {
        assumeTrue(Files.isReadable(Path.of("/proc/net/tcp")), "needs Linux");
        String url = "jdbc:postgresql://" + address() + "/postgres?user=postgres";
        assertThat(timerOf(url, "02")).as("the next probe, in 1/100 s").isBetween(1, 6000);
        assertThat(timerOf(url + "&tcpKeepAlive=false", "00")).isZero();
    }

    /** When the system looks after the socket again, of a client that waits for a long statement. */
    private static int timerOf(String url, String kind) throws Exception {
        String script = Files.writeString(folder.resolve("long.sql"), "select pg_sleep(60);")
                .toString();
        try (RunningCli going = RunningCli.start(Cli.bare(), "sql", "--url", url, script);
                Connection connection = server.maintenance().connect();
                Statement statement = connection.createStatement()) {
            AtomicReference<String> timer = new AtomicReference<>("none");
            Await.until(
                    Duration.ofSeconds(60),
                    "the timer of the client's socket to be of the kind " + kind,
                    () -> {
                        try (ResultSet row = statement.executeQuery("select client_port from pg_stat_activity"
                                + " where state = 'active' and query like 'select pg_sleep%'")) {
                            timer.set(row.next() ? timerOf(row.getInt(1)) : "none");
                        }
                        return timer.get().startsWith(kind + ":");
                    },
                    timer::get);
            going.signal("INT");
            assertThat(going.ended().code()).isEqualTo(130);
            return Integer.parseInt(timer.get().substring(3), 16);
        }
    }

    /** {@code 02:00001770}, from the line of the socket whose own port that is. */
    private static String timerOf(int port) throws IOException {
        String ports = String.format(".*:%04X [0-9A-F]+:%04X .*", port, server.port());
        try (Stream<String> ip4 = Files.lines(Path.of("/proc/net/tcp"));
                Stream<String> ip6 = Files.lines(Path.of("/proc/net/tcp6"))) {
            return Stream.concat(ip4, ip6)
                    .filter(line -> line.matches(ports))
                    .map(line -> line.strip().split(" +", -1)[5])
                    .findFirst()
                    .orElse("none");
        }
    }

    @Test
    void aPasswordThatIsTypedIsNotSeen(Scenario scenario) throws Exception {
        assumeTrue(new ProcessBuilder("sh", "-c", "command -v tmux").start().waitFor() == 0, "needs tmux");
        Path code = folder.resolve("code");
        Path out = folder.resolve("out");
        String socket = "pglock-password-" + ProcessHandle.current().pid();
        String line = "env -u PGPASSWORD PGHOST=" + server.host() + " PGPORT=" + server.port()
                + " PGDATABASE=postgres PGUSER=ann " + Cli.launcher() + " doctor > " + out + "; echo $? > " + code
                + "; echo over; cat";
        try {
            tmux(socket, "-f", "/dev/null", "new-session", "-d", line);
            scenario.await("the question", () -> screen(socket).contains("Password of ann:"));
            tmux(socket, "send-keys", SECRET, "Enter");
            scenario.await("its end", () -> screen(socket).contains("over"));
            assertThat(Files.readString(code)).isEqualTo("0\n");
            assertThat(Files.readString(out)).contains("as ann");
            assertThat(screen(socket)).doesNotContain(SECRET);
            tmux(socket, "send-keys", "seen again", "Enter");
            scenario.await("the echo to be back", () -> screen(socket).contains("seen again"));
        } finally {
            tmux(socket, "kill-server");
        }
    }

    private static String screen(String socket) throws Exception {
        return tmux(socket, "capture-pane", "-p");
    }

    private static String tmux(String socket, String... words) throws Exception {
        Process tmux = new ProcessBuilder(Stream.concat(Stream.of("tmux", "-L", socket), Stream.of(words))
                        .toList())
                .redirectErrorStream(true)
                .start();
        String printed = new String(tmux.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        tmux.waitFor();
        return printed;
    }
}
