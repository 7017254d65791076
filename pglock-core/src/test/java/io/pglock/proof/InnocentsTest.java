// SPDX-License-Identifier: Apache-2.0
package io.pglock.proof;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Random sessions with random locks are in the way of a guarded one, in queues, chains and deadlocks, and let go at the wrong
 * moment. Nobody is ever signalled but who truly holds what it waits for, by what PostgreSQL says in the statement
 * that signals ({@link Truth}), and nobody who should be is missed for more than two looks.
 *
 * <p>A few rounds in every build; {@code mvn -q -Pproof -Dpglock.proof=Innocents -pl pglock-core -am} makes 10,000 of them.
 */
class InnocentsTest {

    private static final int IN_A_BUILD = 60;
    private static final int IN_FULL = 10_000;

    /** Scenes side by side, where there are enough rounds for them: most of the time each of them waits. */
    private static final int SCENES = 16;

    private static final int ROUNDS_WORTH_A_SCENE = 10;

    private static final int ENOUGH_FOR_EVERYTHING = 2_000;

    private final ProofRun run = new ProofRun("Innocents", IN_A_BUILD, IN_FULL);
    private final Queue<String> wrongs = new ConcurrentLinkedQueue<>();
    private final Map<String, Integer> counts = new TreeMap<>();

    @Test
    void nobodyIsSignalledButATrueBlockerAndNoneIsMissed() throws Exception {
        PostgresServer server = PostgresServer.shared();
        String role = "proof_" + UUID.randomUUID().toString().substring(0, 8);
        List<Database> databases = new ArrayList<>();
        try (Connection admin = server.maintenance().connect()) {
            execute(admin, "create role " + role + " login password 'proof'");
            execute(admin, "alter role " + role + " set deadlock_timeout = '" + Scene.DEADLOCK_TIMEOUT + "'");
            try {
                Database first = server.createDatabase();
                databases.add(first);
                try (Connection connection = first.connect()) {
                    execute(connection, Mess.TABLES);
                    for (String sql : Truth.schema(server.majorVersion())) {
                        execute(connection, sql);
                    }
                }
                int scenes = Math.min(SCENES, Math.max(1, run.rounds() / ROUNDS_WORTH_A_SCENE));
                for (int i = 1; i < scenes; i++) {
                    databases.add(first.copy());
                }
                playIn(databases, server, role);
            } finally {
                databases.forEach(Database::drop);
                execute(admin, "drop role " + role);
            }
        }
        run.summary(counts);
        assertThat(wrongs).as("seed " + run.seed()).isEmpty();
        assertThat(counts.get("looks with somebody in the way")).isPositive();
        if (run.rounds() >= ENOUGH_FOR_EVERYTHING) {
            assertThat(counts)
                    .containsKeys("signals CANCEL", "signals TERMINATE")
                    .containsKeys(
                            "for relation",
                            "for transactionid",
                            "for tuple",
                            "for advisory",
                            "for object",
                            "for virtualxid")
                    .containsKeys("rounds with merely ahead", "rounds with prepared transactions");
        }
        assertThat(counts.getOrDefault("overtaken", 0))
                .as("of so few nothing is known")
                .isLessThan(10 + sum("signals ") / 10);
    }

    private int sum(String prefix) {
        return counts.entrySet().stream()
                .filter(count -> count.getKey().startsWith(prefix))
                .mapToInt(Map.Entry::getValue)
                .sum();
    }

    private void playIn(List<Database> databases, PostgresServer server, String role) throws Exception {
        List<Thread> threads = new ArrayList<>();
        for (Database database : databases) {
            Thread thread = new Thread(() -> play(database, server, role), "scene " + database.name());
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private void play(Database database, PostgresServer server, String role) {
        int round = -1;
        try (Scene scene = new Scene(access(database, server, role), database.name())) {
            while ((round = run.nextRound()) >= 0) {
                Mess mess = Mess.draw(run.random(round), Integer.toString(round));
                Scene.Played played = scene.play(mess, run.random(-round));
                List<String> wrong = Verdict.wrongs(played, role);
                if (!wrong.isEmpty()) {
                    wrongs.add("round " + round + ": " + String.join("\n", wrong) + "\n" + played);
                    run.stop();
                }
                count(played);
            }
        } catch (Exception | AssertionError e) {
            java.io.StringWriter text = new java.io.StringWriter();
            e.printStackTrace(new java.io.PrintWriter(text));
            wrongs.add("round " + round + ": " + text);
            run.stop();
        }
    }

    private static Scene.Access access(Database database, PostgresServer server, String role) {
        return new Scene.Access() {
            @Override
            public PGSimpleDataSource dataSource(String options) {
                return source(database.user(), database.password(), options);
            }

            @Override
            public PGSimpleDataSource protectedDataSource() {
                return source(role, "proof", "");
            }

            @Override
            public int major() {
                return server.majorVersion();
            }

            private PGSimpleDataSource source(String user, String password, String options) {
                PGSimpleDataSource source = new PGSimpleDataSource();
                source.setUrl(database.url());
                source.setUser(user);
                source.setPassword(password);
                source.setOptions(options);
                return source;
            }
        };
    }

    private synchronized void count(Scene.Played played) {
        add("looks", played.looks().size());
        add("looks with somebody in the way", (int) played.looks().stream()
                .filter(look -> !look.inTheWay().isEmpty())
                .count());
        for (Sent sent : played.signals()) {
            if (sent.overtaken()) {
                add("overtaken", 1);
            } else {
                add("signals " + sent.signal(), 1);
                add("for " + kind(sent.truth().waitsFor()), 1);
            }
        }
        played.looks().stream()
                .flatMap(look -> look.inTheWay().stream())
                .map(seen -> seen.pid() == 0 ? "prepared transactions" : seen.hard() ? "hard blockers" : "merely ahead")
                .distinct()
                .forEach(what -> add("rounds with " + what, 1));
        played.looks().stream()
                .flatMap(look -> look.inTheWay().stream())
                .map(seen -> kind(seen.waitsFor()))
                .distinct()
                .forEach(kind -> add("rounds waiting for " + kind, 1));
        add(
                "guarded "
                        + (played.guardedFailure().isEmpty()
                                ? "got through"
                                : played.guardedFailure().substring(0, 5)),
                1);
        run.done(counts);
    }

    /** The kind of lock. */
    private static String kind(String wait) {
        return wait.replaceFirst(" .*", "");
    }

    private void add(String what, int count) {
        counts.merge(what, count, Integer::sum);
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
