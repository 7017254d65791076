// SPDX-License-Identifier: Apache-2.0
package io.pglock.contract;

import io.pglock.Held;
import io.pglock.LockKey;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Where a test of the contract takes place: parties of one engine, sessions of other kinds, and a look at what is locked. */
final class Stage implements AutoCloseable {

    static final int LONGEST_SECONDS = 60;

    private final Engine engine;
    private final Scenario scenario;
    private final List<Engine.Party> parties = new ArrayList<>();
    private final List<Connection> connections = new ArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    Stage(Engine engine, Scenario scenario) {
        this.engine = engine;
        this.scenario = scenario;
    }

    Engine engine() {
        return engine;
    }

    /** A new one. */
    Engine.Party party() {
        return on(engine, connect());
    }

    /** A new one of another engine. */
    Engine.Party partyOf(Engine other) {
        return on(other, connect());
    }

    Engine.Party on(Engine kind, Connection connection) {
        Engine.Party party = kind.on(connection, scenario);
        parties.add(party);
        return party;
    }

    Connection connect() {
        Connection connection = scenario.database().connect("party " + (connections.size() + 1));
        connections.add(connection);
        return connection;
    }

    /** Somebody who knows nothing of pglock. */
    Session session(String name) {
        return scenario.session(name);
    }

    /** Ends the session that holds the locks of that one, and waits until the server has released them. */
    void kill(Engine.Party party) {
        query("select pg_terminate_backend(" + party.pid() + ")");
        scenario.awaitGone(party.pid());
    }

    void await(String whatFor, Callable<Boolean> state) {
        scenario.await(whatFor, state);
    }

    void awaitWaiting(Engine.Party party) {
        scenario.await(party.name() + " to wait for a lock", party::isWaiting);
    }

    /** Does it on another thread. */
    <T> Future<T> start(Callable<T> work) {
        CompletableFuture<T> result = new CompletableFuture<>();
        threads.execute(() -> {
            try {
                result.complete(work.call());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    <T> T get(Future<T> result) {
        try {
            return result.get(LONGEST_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new AssertionError("it failed: " + e.getCause(), e.getCause());
        } catch (TimeoutException e) {
            throw new AssertionError("it took longer than " + LONGEST_SECONDS + " s\n" + scenario.lockTable(), e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** The modes in which anybody holds that key, as pg_locks has them, sorted. */
    List<String> held(LockKey key) {
        return query("select mode from pg_locks where locktype = 'advisory' and granted and classid = " + key.classId()
                + " and objid = " + key.objId() + " and objsubid = " + key.objSubId() + " order by mode");
    }

    List<String> query(String sql) {
        return query(scenario.observer(), sql);
    }

    static List<String> query(Connection connection, String sql) {
        try {
            return Held.column(connection, sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    @Override
    public void close() throws SQLException {
        parties.forEach(Engine.Party::close);
        for (Connection connection : connections) {
            connection.close();
        }
        threads.shutdownNow();
    }
}
