// SPDX-License-Identifier: Apache-2.0
package io.pglock.proof;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pglock.LockClient;
import io.pglock.testkit.Await;
import io.pglock.testkit.Database;
import io.pglock.testkit.LiveThreads;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.TcpProxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/**
 * Random scopes within scopes, with errors, rollbacks, cancels, interrupts, kills and lost networks in the middle of them:
 * after each outermost one, everything is as before. In the end {@link PostgresTest} looks for sessions, locks and threads.
 *
 * <p>A few scopes in every build; {@code mvn -q -Pproof -Dpglock.proof=Leaks -pl pglock-agent -am} makes 100,000 of them.
 */
@PostgresTest
class LeaksTest {

    private static final int IN_A_BUILD = 500;
    private static final int IN_FULL = 100_000;

    private static final int ENOUGH_FOR_EVERYTHING = 5_000;

    private static final int TRAVELLERS = 8;

    /** Their own, twice for what is just ending, the pool's, the clients', the watch's, the injection's and this test's. */
    private static final int MOST_SESSIONS = 2 * TRAVELLERS + 4 + 2 * 2 + 2 + 2 + 2;

    /** The alarm, a watch, one that is just ending, and three for each client. */
    private static final int MOST_THREADS = 1 + 2 + 2 * 3;

    private final ProofRun run = new ProofRun("Leaks", IN_A_BUILD, IN_FULL);
    private final Counts counts = new Counts();
    private final Queue<String> wrongs = new ConcurrentLinkedQueue<>();
    private final Queue<Integer> ended = new ConcurrentLinkedQueue<>();

    @Test
    void afterEachScopeEverythingIsAsBefore(Database database, DataSource dataSource, Connection connection)
            throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.execute(Walk.TABLES);
        }
        HikariConfig config = new HikariConfig();
        config.setDataSource(dataSource);
        config.setMaximumPoolSize(4);
        List<TcpProxy> networks = new ArrayList<>();
        try (HikariDataSource pool = new HikariDataSource(config);
                Injection injection = new Injection(dataSource, counts);
                LockClient one = LockClient.create(dataSource);
                LockClient two = LockClient.create(dataSource)) {
            Walk.Surroundings around = new Walk.Surroundings(dataSource, List.of(one, two), injection, counts);
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < TRAVELLERS; i++) {
                Optional<TcpProxy> network = Optional.empty();
                if (i % 4 == 3) {
                    network = Optional.of(TcpProxy.to(
                            database.server().host(), database.server().port()));
                    networks.add(network.get());
                }
                DataSource from =
                        network.map(proxy -> proxy.dataSource(database)).orElse(i % 4 == 2 ? pool : dataSource);
                threads.add(new Thread(
                        new Traveller(i, run, around, from, i % 4 == 2, network, wrongs, ended), "traveller-" + i));
            }
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                while (thread.isAlive()) {
                    thread.join(500);
                    lookAround(connection);
                }
            }
            assertThat(one.toString()).contains("holds 0 of");
            assertThat(two.toString()).contains("holds 0 of");
        } finally {
            networks.forEach(TcpProxy::close);
        }
        run.summary(counts);

        assertThat(wrongs).as("seed " + run.seed()).isEmpty();
        Await.until(
                Duration.ofSeconds(10),
                "every session that was lost to have ended",
                () -> alive(connection).isEmpty(),
                () -> alive(connection).toString());
        assertThat(counts.of("as before, after an injection")).isPositive();
        assertThat(counts.of("inside as before")).isPositive();
        assertThat(counts.of("not acquired")).isPositive();
        if (run.rounds() < ENOUGH_FOR_EVERYTHING) {
            return;
        }
        for (String what : List.of("pg_cancel_backend", "Statement.cancel", "interrupt", "kill", "network lost")) {
            assertThat(counts.of("injected: " + what)).as(what).isPositive();
        }
        assertThat(counts.of("failed: 57014")).as("cancels that hit").isPositive();
        assertThat(counts.ofAll("hit: interrupted")).as("interrupts that hit").isPositive();
        assertThat(counts.of("hit: session lost")).as("kills that hit").isPositive();
    }

    private void lookAround(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "select count(*) from pg_stat_activity where datname = current_database()"
                                + " and backend_type = 'client backend'")) {
            row.next();
            if (row.getInt(1) > MOST_SESSIONS) {
                wrongs.add(row.getInt(1) + " sessions");
            }
        }
        List<Thread> own = LiveThreads.named("pglock");
        if (own.size() > MOST_THREADS) {
            wrongs.add("threads: " + own);
        }
        counts.add("looks around");
    }

    private List<Integer> alive(Connection connection) throws SQLException {
        List<Integer> alive = new ArrayList<>();
        try (PreparedStatement statement =
                connection.prepareStatement("select pid from pg_stat_get_activity(null) where pid = any (?)")) {
            statement.setArray(1, connection.createArrayOf("int4", ended.toArray()));
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    alive.add(rows.getInt(1));
                }
            }
        }
        return alive;
    }
}
