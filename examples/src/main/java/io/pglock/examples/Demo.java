// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The migration that does not get through, and then does: a real PostgreSQL, a table with rows, a session that sits idle in
 * a transaction, five readers that come along, and Flyway with an {@code ALTER TABLE}. First without pglock, then with it.
 *
 * <p>Run it with {@code mvn -q -Pdemo}. It takes about ten seconds and leaves nothing behind.
 */
public final class Demo {

    private static final int READERS = 5;
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Screen screen;
    private final Database database;

    Demo(Screen screen, Database database) {
        this.screen = screen;
        this.database = database;
        FlywayLog.showOn(screen);
    }

    /** Exit code 0 when everything went as told, 1 when it did not. */
    public static void main(String[] arguments) throws Exception {
        Screen screen = Screen.onStandardOutput();
        Path files = Files.createTempDirectory("pglock-demo");
        System.setProperty("ot.epg.working-dir", files.toString()); // the server's binaries too, or they would stay
        System.setProperty("pglock.signalOwnJvm", "true"); // here one JVM plays the migration and who is in its way
        screen.say("Starting a PostgreSQL server of its own ...");
        boolean asTold;
        try (PostgresServer server = PostgresServer.startEmbedded(Map.of());
                Database database = server.createDatabase()) {
            asTold = new Demo(screen, database).play(server.majorVersion());
        } finally {
            delete(files);
        }
        screen.say("PostgreSQL is stopped and its files are deleted.");
        if (!asTold) {
            screen.bad("That did not go as it should have.");
            System.exit(1);
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    /** Whether the first attempt hung and the second got through. */
    boolean play(int version) throws Exception {
        Migration.toVersion1(database);
        screen.title("PostgreSQL " + version + ", a table orders with 100000 rows");
        try (Connection support = database.connect("support-tool")) {
            sitIdleInTransaction(support);
            screen.say("support-tool has read an order and sits idle in its transaction.");

            boolean hung = without();
            return with(support) && hung;
        }
    }

    private boolean without() throws Exception {
        screen.title("1. Flyway without pglock runs V2: ALTER TABLE orders ADD COLUMN note text");
        try (Attempt attempt = new Attempt(database, Migration.WITHOUT_PGLOCK, READERS)) {
            screen.say(READERS + " readers come along, and queue up behind it:");
            screen.detail(attempt.lockTree());
            attempt.giveUpAfter(PATIENCE);
            screen.bad(
                    "Not migrated. Given up by hand after " + seconds(PATIENCE) + ": nothing said who was in the way,");
            screen.bad("and until then nobody could read: up to " + seconds(attempt.longestRead()) + " for one row.");
            return !attempt.migrated();
        }
    }

    private boolean with(Connection support) throws Exception {
        screen.title("2. The same with pglock on the class path, and pglock.prioritize=terminate");
        try (Attempt attempt = new Attempt(database, Migration.WITH_PGLOCK, READERS)) {
            screen.detail(attempt.lockTree());
            attempt.awaitEnd();
            if (!attempt.migrated()) {
                screen.bad("Not migrated: " + attempt.failure());
                return false;
            }
            screen.good("Migrated after " + seconds(attempt.migrationTook()) + ".");
            screen.good("Readers waited up to " + seconds(attempt.longestRead()) + " for one row.");
            return !support.isValid(1);
        }
    }

    private static String seconds(Duration duration) {
        return String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1000.0);
    }

    private static void sitIdleInTransaction(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.execute("select total from orders where id = 42");
        }
    }
}
