// SPDX-License-Identifier: Apache-2.0
package io.pglock.proof;

import io.pglock.HandingOut;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;

/**
 * Where the watch of one guarded session gets its connection: an ordinary one, with a note of what was so before each of its
 * looks. A look is a statement that asks for blockers and signals nobody. Thread-safe.
 */
final class Recorder {

    /** Somebody in the way, by the {@link Truth}. */
    record Seen(
            int pid,
            Optional<String> backendStart,
            Optional<String> xactStart,
            String state,
            String stateChange,
            String application,
            String role,
            String type,
            boolean hard,
            boolean marked,
            boolean flyway,
            String waitsFor) {

        static Seen of(ResultSet row, String pid) throws SQLException {
            return new Seen(
                    row.getInt(pid),
                    Optional.ofNullable(row.getString("backend_start")),
                    Optional.ofNullable(row.getString("xact_start")),
                    text(row, "state"),
                    text(row, "state_change"),
                    text(row, "application"),
                    text(row, "role"),
                    text(row, "type"),
                    row.getBoolean("hard"),
                    row.getBoolean("marked"),
                    row.getBoolean("flyway"),
                    text(row, "wait"));
        }

        private static String text(ResultSet row, String column) throws SQLException {
            String text = row.getString(column);
            return text == null ? "" : text;
        }

        /** The same session in the same transaction. */
        boolean isSameAs(Seen other) {
            return pid == other.pid && backendStart.equals(other.backendStart) && xactStart.equals(other.xactStart);
        }

        boolean isIdle() {
            return state.startsWith("idle");
        }
    }

    /** @param at by {@link System#nanoTime()} */
    record Look(int number, long at, List<Seen> inTheWay) {
        Optional<Seen> find(Seen whom) {
            return inTheWay.stream().filter(whom::isSameAs).findFirst();
        }
    }

    private final DataSource source;
    private final DataSource recorded = new HandingOut(this::open);

    private volatile Runnable beforeSignal = () -> {};
    private volatile Runnable afterLooks = () -> {};
    private volatile int enoughLooks;

    private final List<Look> looks = new ArrayList<>();
    private int count;

    /** @param source with sessions that have the schema {@code proof} first, and know whom they watch for */
    Recorder(DataSource source) {
        this.source = source;
    }

    /** Always the same, so that scopes share a watch. */
    DataSource dataSource() {
        return recorded;
    }

    private Connection open() throws SQLException {
        return recording(source.getConnection());
    }

    /**
     * From now on; the looks before are forgotten.
     *
     * @param atSignals called on the watch's thread right before a statement that signals
     * @param atEnough called there when so many looks have seen somebody in the way
     */
    synchronized void begin(Runnable atSignals, int enough, Runnable atEnough) {
        looks.clear();
        beforeSignal = atSignals;
        enoughLooks = enough;
        afterLooks = atEnough;
    }

    synchronized List<Look> looks() {
        return List.copyOf(looks);
    }

    private Connection recording(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(Truth.WARM_UP);
        }
        return proxy(Connection.class, (method, arguments) -> {
            Object result = call(connection, method, arguments);
            if (!method.getName().equals("prepareStatement")) {
                return result;
            }
            String sql = (String) arguments[0];
            PreparedStatement prepared = (PreparedStatement) result;
            if (sql.contains("pg_cancel_backend") || sql.contains("pg_terminate_backend")) {
                return before(prepared, beforeSignal::run, () -> {});
            }
            return sql.contains("pg_blocking_pids")
                    ? before(prepared, () -> note(connection), () -> noted(connection))
                    : prepared;
        });
    }

    private void note(Connection connection) throws SQLException {
        int number = count++;
        long at = System.nanoTime();
        List<Seen> seen = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(Truth.BEFORE_LOOK)) {
            statement.setString(1, Integer.toString(number));
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    if (rows.getObject("pid") != null) {
                        seen.add(Seen.of(rows, "pid"));
                    }
                }
            }
        }
        synchronized (this) {
            looks.add(new Look(number, at, seen));
        }
    }

    private void noted(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(Truth.AFTER_LOOK);
        }
        if (looks().stream().filter(look -> !look.inTheWay().isEmpty()).count() >= enoughLooks) {
            afterLooks.run();
        }
    }

    @FunctionalInterface
    private interface Work {
        void run() throws SQLException;
    }

    private static PreparedStatement before(PreparedStatement statement, Work before, Work after) {
        return proxy(PreparedStatement.class, (method, arguments) -> {
            if (!method.getName().equals("executeQuery")) {
                return call(statement, method, arguments);
            }
            before.run();
            Object result = call(statement, method, arguments);
            after.run();
            return result;
        });
    }

    @FunctionalInterface
    private interface Handler {
        Object call(Method method, Object[] arguments) throws Throwable;
    }

    private static <T> T proxy(Class<T> type, Handler handler) {
        return type.cast(Proxy.newProxyInstance(
                Recorder.class.getClassLoader(),
                new Class<?>[] {type},
                (self, method, arguments) -> handler.call(method, arguments)));
    }

    private static Object call(Object target, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
