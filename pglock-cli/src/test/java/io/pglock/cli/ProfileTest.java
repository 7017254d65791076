// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockKey;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code pglock.toml}. */
@PostgresTest
class ProfileTest {

    private final Session web;
    private final Cli cli;
    private final Path folder;
    private final Path file;

    ProfileTest(Database database, Scenario scenario, @TempDir Path folder) {
        this.web = scenario.session("web");
        this.folder = folder;
        this.file = folder.resolve("pglock.toml");
        this.cli = Cli.on(database).environment("PGLOCK_CONFIG", file.toString());
    }

    @BeforeEach
    void lock() {
        web.execute(
                "drop table if exists goods, sales",
                "create table goods (id int)",
                "create table sales (id int)",
                "begin",
                "lock table goods in share mode",
                "select * from sales");
    }

    @Test
    void theCommandLineBeatsTheProfileAndTheProfileBeatsTheDefaults() throws IOException {
        Files.writeString(file, """
                [defaults]
                attributes = ["mode"]
                blocking-attributes = ["blocking_activity_id"]
                csv = true
                on = ["goods", "sales"]

                [profiles.goods]
                on = ["goods"]
                attributes = ["rel_name", "mode"]

                [profiles.who]
                blocking = true

                [profiles.share]
                filters = ["mode=SHARE"]
                """);
        assertThat(cli.run().succeeded().lines()).containsExactly("mode", "SHARE", "ACCESS SHARE");
        assertThat(cli.run("-c", "goods").succeeded().lines()).containsExactly("rel_name,mode", "goods,SHARE");
        assertThat(cli.run("-c", "goods", "--on", "sales", "-a", "mode")
                        .succeeded()
                        .lines())
                .containsExactly("mode", "ACCESS SHARE");
        assertThat(cli.run("-c", "who").succeeded().lines()).containsExactly("blocking_activity_id");
        assertThat(cli.run("-c", "who", "--no-blocking", "--config-file", file.toString())
                        .succeeded()
                        .lines())
                .containsExactly("mode", "SHARE", "ACCESS SHARE");
        assertThat(cli.run("--csv", "-c", "goods").succeeded().lines())
                .as("whatever comes first")
                .containsExactly("rel_name,mode", "goods,SHARE");
        assertThat(cli.run("--no-blocking", "-c", "who").succeeded().lines())
                .containsExactly("mode", "SHARE", "ACCESS SHARE");
        assertThat(cli.run("-c", "who", "--blocking").succeeded().lines()).containsExactly("blocking_activity_id");
        assertThat(cli.run("-c", "share", "--json").succeeded().out()).isEqualTo("[\n{\"mode\":\"SHARE\"}\n]\n");
        assertThat(cli.run().succeeded().lines())
                .as("no call leaves anything behind")
                .containsExactly("mode", "SHARE", "ACCESS SHARE");
    }

    @Test
    void aProfileSaysWhichServer(Database database) throws IOException {
        Files.writeString(file, """
                [profiles.shop]
                host = "%s"
                port = %d
                database = "%s"
                user = "%s"
                on = ["goods"]
                """.formatted(
                        database.server().host(), database.server().port(), database.name(), database.user()));
        assertThat(Cli.bare()
                        .environment("PGPASSWORD", database.password())
                        .run("-c", "shop", "--config-file", file.toString())
                        .succeeded()
                        .out())
                .contains("goods");
    }

    /** A folder may hold somebody else's files, and the environment a password. */
    @Test
    void theFileOfTheWorkingDirectorySaysInAProfileOnlyWhichServer(Database database) throws Exception {
        Path here = Files.createDirectories(folder.resolve("repo"));
        Path config = here.resolve("pglock.toml");
        Cli in = Cli.on(database).environment("XDG_CONFIG_HOME", folder.toString());
        for (String key : new String[] {"url", "host", "port", "user", "database", "service"}) {
            Files.writeString(config, "[agent]\nonError = \"fail\"\n[defaults]\n" + key + " = \"1\"\n");
            for (String[] words : new String[][] {{"ls"}, {"terminate", "-y", "4711"}, {"doctor"}}) {
                assertThat(output(in, here, words))
                        .startsWith("pglock: pglock.toml, line 4: " + key + " says which server is asked,"
                                + " and being in a folder must not decide that; write it into a profile");
            }
        }
        String toml = "\nurl = \"postgresql://%s:%d/%s\"\nattribute = \"mode\"\non = \"sales\"\n"
                .formatted(database.server().host(), database.server().port(), database.name());
        Files.writeString(config, "[profiles.shop]" + toml);
        Cli elsewhere = in.environment("PGPORT", "1").environment("PGDATABASE", "no");
        assertThat(output(elsewhere, here, "--csv", "-c", "shop")).isEqualTo("mode\r\nACCESS SHARE\r\n");
        Files.writeString(config, "[defaults]" + toml);
        assertThat(output(elsewhere, here, "--csv", "--config-file", "pglock.toml"))
                .as("named, it may say what it likes")
                .isEqualTo("mode\r\nACCESS SHARE\r\n");
        Files.move(config, Files.createDirectories(folder.resolve("pglock")).resolve("pglock.toml"));
        assertThat(output(elsewhere, here, "--csv")).isEqualTo("mode\r\nACCESS SHARE\r\n");
    }

    /** In the working directory's defaults, with what being in a folder must not decide. */
    @Test
    void norDoesItSayWhatIsRunOrWrittenOrWhoIsEnded() throws Exception {
        Path here = Files.createDirectories(folder.resolve("repo"));
        Path config = here.resolve("pglock.toml");
        Cli in = Cli.bare().environment("XDG_CONFIG_HOME", folder.toString());
        Map<String, String> decided = Map.ofEntries(
                Map.entry(
                        "monitor-url = \"jdbc:postgresql://1/x\"", "where the password of the side connection is sent"),
                Map.entry("monitor-user = \"ann\"", "where the password of the side connection is sent"),
                Map.entry("postgres-bin = \"bin\"", "which programs are run"),
                Map.entry("schema = [\"schema.sql\"]", "which SQL is run"),
                Map.entry("report = \"/tmp/report\"", "which file is written"),
                Map.entry("protect = \"none\"", "who is spared when sessions are ended"),
                Map.entry("prioritize = \"cancel\"", "whose sessions are ended"),
                Map.entry("prioritize = \"terminate\"", "whose sessions are ended"),
                Map.entry("prioritize-min-age = \"none\"", "who is spared when sessions are ended"),
                Map.entry("prioritize-after = \"10ms\"", "how soon sessions are ended"),
                Map.entry("prioritize-grace = \"10ms\"", "how soon sessions are ended"));
        for (Map.Entry<String, String> one : decided.entrySet()) {
            Files.writeString(config, "[defaults]\n" + one.getKey() + "\n");
            String key = one.getKey().replaceFirst(" .*", "");
            assertThat(output(in, here, "sql", "--dry-run", "/dev/null"))
                    .startsWith("pglock: pglock.toml, line 2: " + key + " says " + one.getValue()
                            + ", and being in a folder must not decide that; write it into a profile");
            Cli named = key.equals("monitor-user") ? in.environment("PGLOCK_MONITOR_URL", "jdbc:postgresql://h/x") : in;
            assertThat(output(named, here, "sql", "--dry-run", "--config-file", "pglock.toml", "/dev/null"))
                    .as("named, it may say what it likes")
                    .isEmpty();
        }
        Files.writeString(config, "[defaults]\nprioritize = \"off\"\n");
        assertThat(output(in, here, "sql", "--dry-run", "/dev/null")).isEmpty();
    }

    /** Who is hit is said for the call: defaults narrow that, those of one file do not stand for those of the other. */
    @Test
    void defaultsNarrowWhoIsSignalledAndSayNotWhoThatIs() throws Exception {
        Path users = Files.createDirectories(folder.resolve("pglock")).resolve("pglock.toml");
        Path here = Files.createDirectories(folder.resolve("repo"));
        Path config = here.resolve("pglock.toml");
        Cli in = cli.environment("PGLOCK_CONFIG", "").environment("XDG_CONFIG_HOME", folder.toString());
        String[] dry = {"terminate", "--dry-run", "--on", "sales"};

        Files.writeString(config, "[defaults]\nfilters = [\"granted=true\"]\non = [\"sales\"]\n");
        assertThat(output(in, here, "terminate", "--dry-run"))
                .startsWith("pglock: the defaults in pglock.toml alone do not say whom this is meant for. Say which: ");
        assertThat(output(in, here, dry)).contains("\n" + web.pid() + " ");

        Files.writeString(
                users, "[defaults]\nfilters = [\"activity__application_name__ne=%s\"]\n".formatted(web.name()));
        assertThat(output(in, here, dry)).endsWith("pglock: nothing to terminate\n");
        Files.writeString(users, "[defaults]\non = [\"other\"]\n");
        assertThat(output(in, here, dry))
                .startsWith("pglock: the defaults of the files have no table in common whose sessions may be signalled:"
                        + " sales; other. Ask for a profile with --config");
        Files.writeString(config, "[defaults]\non = []\n");
        assertThat(output(in, here, dry))
                .as("an empty list does not stand for another file's")
                .isEqualTo(
                        "pglock: --on sales: the defaults in pglock.toml signal only those on other; name one of these, or"
                                + " ask for a profile with --config\n");
        Files.writeString(config, "[defaults]\non = [\"sales\", \"goods\"]\n");
        Files.writeString(users, "[defaults]\non = [\"goods\"]\n");
        assertThat(output(in, here, "terminate", "--dry-run", "-f", "rel_name=sales"))
                .as("both narrow it")
                .endsWith("pglock: nothing to terminate\n");
        assertThat(output(in, here, "terminate", "--dry-run"))
                .startsWith("pglock: the defaults in pglock.toml alone do not say whom this is meant for. Say which: ");

        Files.writeString(users, "[profiles.a]\nfilters = [\"granted=true\"]\n[profiles.b]\nfilters = []\n");
        assertThat(output(in, here, "terminate", "--dry-run", "-c", "a")).contains("\n" + web.pid() + " ");
        assertThat(output(in, here, "terminate", "--dry-run", "-c", "b")).contains("the defaults in pglock.toml alone");

        Files.writeString(config, "[profiles.a]\non = [\"sales\"]\n");
        assertThat(output(in, here, "ls", "-c", "a"))
                .startsWith("pglock: the profile a is in pglock.toml and in " + users
                        + "; say with --config-file which is meant\n");
    }

    /** How one likes to see them, too, says nothing of who is ended. */
    @Test
    void defaultsDoNotSayWhoIsTheFirstAndNamesOfKeysAreAddedUp(Scenario scenario) throws Exception {
        Path users = Files.createDirectories(folder.resolve("pglock")).resolve("pglock.toml");
        Path here = Files.createDirectories(folder.resolve("repo"));
        Path config = here.resolve("pglock.toml");
        Cli in = cli.environment("PGLOCK_CONFIG", "").environment("XDG_CONFIG_HOME", folder.toString());
        Session late = scenario.session("late");
        late.execute("begin", "select from sales");
        String[] first = {"terminate", "--dry-run", "--on", "sales", "-l", "1"};
        assertThat(output(in, here, first)).contains("\n" + web.pid() + " ").doesNotContain("\n" + late.pid() + " ");
        Files.writeString(config, "[defaults]\nsort = [\"activity__xact_duration\"]\n");
        assertThat(output(in, here, first)).contains("\n" + web.pid() + " ").doesNotContain("\n" + late.pid() + " ");
        assertThat(output(
                        in,
                        here,
                        "terminate",
                        "--dry-run",
                        "--on",
                        "sales",
                        "-l",
                        "1",
                        "--sort",
                        "activity__xact_duration"))
                .contains("\n" + late.pid() + " ");

        late.execute("select pg_advisory_lock(%d)"
                .formatted(LockKey.named("nightly-report").number()));
        Files.writeString(users, "[defaults]\nkey-names = [\"nightly-report\"]\n");
        Files.writeString(config, "[defaults]\nkey-names = [\"shop-import\"]\n");
        assertThat(output(
                        in, here, "terminate", "--dry-run", "-f", "type=advisory", "-f", "key_name__ne=nightly-report"))
                .isEqualTo("pglock: nothing to terminate\n");
        assertThat(output(in, here, "terminate", "--dry-run", "-f", "key_name__contains=report"))
                .as("not by a name that ls does not show")
                .isEqualTo("pglock: nothing to terminate\n");
        Files.delete(config);
        assertThat(output(in, here, "terminate", "--dry-run", "-f", "key_name__contains=report"))
                .contains("\n" + late.pid() + " ");
    }

    @Test
    void defaultsForOtherCallsAreNotInTheWay() throws Exception {
        Files.writeString(file, """
                [defaults]
                watch = "2s"
                check = true
                schema = ["no.sql"]
                single-transaction = true

                [profiles.looks]
                check = true
                """);
        assertThat(cli.run("--terminate", "--dry-run", "--on", "sales").out()).contains("\n" + web.pid() + " ");
        assertThat(cli.run("--terminate", "--dry-run", "--on", "sales", "-c", "looks")
                        .err())
                .startsWith("pglock: --watch and --check only look");
        assertThat(cli.run("--check", "--on", "sales", "--csv", "-a", "mode")
                        .succeeded()
                        .out())
                .isEqualTo("mode\r\nACCESS SHARE\r\n");
        Path script = Files.writeString(folder.resolve("t.sql"), "select 1;");
        assertThat(cli.run("trace", script.toString()).out()).contains("select 1");
    }

    @Test
    void theUsersOwnFileMayDecideAllOfThatFromItsOwnFolderToo(Database database) throws Exception {
        Path users = Files.createDirectories(folder.resolve("pglock"));
        Path config = Files.writeString(
                users.resolve("pglock.toml"),
                "[defaults]\nurl = \"postgresql://%s:%d/%s\"\nattribute = \"mode\"\non = \"sales\"\n"
                        .formatted(database.server().host(), database.server().port(), database.name()));
        Path linked = Files.createDirectories(folder.resolve("dotfiles"));
        Files.createSymbolicLink(linked.resolve("pglock.toml"), config);
        Cli in = Cli.on(database)
                .environment("XDG_CONFIG_HOME", folder.toString())
                .environment("PGPORT", "1");
        for (Path here : new Path[] {users, linked}) {
            assertThat(output(in, here, "--csv")).isEqualTo("mode\r\nACCESS SHARE\r\n");
        }
        assertThat(output(in, users, "-c", "no")).contains("(in " + config + ")\n");
    }

    @Test
    void theFileOfTheWorkingDirectoryComesBeforeTheUsersAndMayBeTheAgentsToo() throws Exception {
        Path users = Files.createDirectories(folder.resolve("config/pglock"));
        Files.writeString(users.resolve("pglock.toml"), """
                [defaults]
                csv = true
                attribute = "mode"

                [profiles.mine]
                on = ["sales"]
                """);
        Path here = Files.createDirectories(folder.resolve("here"));
        Files.writeString(here.resolve("pglock.toml"), """
                [agent]
                onError = "fail"

                [defaults]
                attributes = ["rel_name"]
                """);
        Cli in = cli.environment("PGLOCK_CONFIG", "agent.properties")
                .environment("XDG_CONFIG_HOME", folder.resolve("config").toString());
        assertThat(output(in, here, "-c", "mine")).isEqualTo("rel_name\r\nsales\r\n");
        Files.writeString(here.resolve("pglock.toml"), "[agent]\nonError = \"fail\"\n");
        assertThat(output(in, here, "-c", "mine")).isEqualTo("mode\r\nACCESS SHARE\r\n");
    }

    private static String output(Cli cli, Path directory, String... words) throws IOException, InterruptedException {
        Process process = cli.builder(words)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return output;
    }

    /** A quote in one has nothing to do with a quote in the next. */
    @Test
    void filtersWithQuotesAreFiltersOfTheirOwn() throws IOException {
        Files.writeString(file, """
                [profiles.quotes]
                filters = ['activity__query__ne=select "', "mode=SHARE", 'rel_name__ne=a"b']
                attributes = ["rel_name"]
                csv = true
                """);
        assertThat(cli.run("ls", "-c", "quotes").succeeded().lines()).containsExactly("rel_name", "goods");
    }

    @Test
    void anEmptyListIsNothingAndKeysOfOtherCommandsAreForThem() throws IOException {
        Files.writeString(file, """
                [defaults]
                json = true
                limit = 1
                sort = ["mode"]
                on = ["goods"]
                filters = ["mode=SHARE"]
                attributes = ["rel_name"]

                [profiles.all]
                filters = []
                on = []
                sort = []
                blocking = true
                """);
        assertThat(cli.run("tree", "--no-json", "-c", "all").succeeded().out()).isEqualTo("nobody waits for a lock\n");
        assertThat(cli.run(
                                "--no-json",
                                "--no-blocking",
                                "-c",
                                "all",
                                "--csv",
                                "-l",
                                "none",
                                "-f",
                                "type=relation",
                                "-f",
                                "activity_id=" + web.pid())
                        .succeeded()
                        .lines())
                .as("the profile's lists are nobody's, and the defaults' are not asked")
                .containsExactly("rel_name", "goods", "sales");
    }

    @Test
    void whatIsWrongInItIsSaidWithItsLine() throws IOException {
        refused(
                "[defaults]\nlimit = 3\nblocing = true\n",
                "pglock.toml, line 3: unknown key blocing; did you mean blocking?");
        refused("[defaults]\nurl = \"secret\n", "pglock.toml, line 2: this is not TOML");
        refused("[profile.x]\nlimit = 3\n", "pglock.toml, line 1: unknown table profile; did you mean profiles?");
        refused("limit = 3\n", "line 1: unknown table limit; settings stand below [defaults] or [profiles.NAME]");
        refused("[defaults]\ncsv = \"true\"\n", "line 2: csv is true or false, without quotes");
        refused("[defaults]\nyes = true\n", "line 2: yes may stand in a profile only");
        refused("[defaults]\nlimit = [1, 2]\n", "line 2: limit takes one value and not a list");
        refused("[defaults]\nlimit = 0\n", "--limit 0 is not a number of rows");
        Files.writeString(file, "[profiles.shop]\nlimit = 3\n[profiles.nightly]\nlimit = 4\n");
        Cli.Ended unknown = cli.run("-c", "shp");
        assertThat(unknown.err()).startsWith("pglock: unknown profile shp; did you mean shop?");
        assertThat(unknown.code()).isEqualTo(1);
        assertThat(cli.run("-c", "weekly").err())
                .contains("there are nightly, shop")
                .contains(file.toString());
        Cli.Ended missing = cli.run("--config-file", folder.resolve("no.toml").toString());
        assertThat(missing.err()).contains("--config-file names", "no.toml, which is not there");
        assertThat(missing.code()).isEqualTo(1);
    }

    private void refused(String toml, String why) throws IOException {
        Files.writeString(file, toml);
        Cli.Ended ended = cli.run();
        assertThat(ended.code()).isEqualTo(1);
        assertThat(ended.out()).isEmpty();
        assertThat(ended.err()).startsWith("pglock: ").contains(why).doesNotContain("\tat ", "secret");
    }

    @Test
    void helpDoesNotNeedItToBeRight() throws IOException {
        Files.writeString(file, "[defaults\n");
        assertThat(cli.run("ls", "--help").succeeded().out()).contains("activity__xact_duration", "Examples:");
    }

    @Test
    void whatTheManualShowsIsRead() throws IOException {
        try (var manual = Objects.requireNonNull(ProfileTest.class.getResourceAsStream("/profiles.toml"))) {
            Files.write(file, manual.readAllBytes());
        }
        assertThat(cli.run("-c", "long-waits", "--on", "goods").succeeded().out())
                .isEmpty();
    }
}
