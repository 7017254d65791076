// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.trace;

import io.pglock.LockGuard;
import io.pglock.LockMode;
import io.pglock.LockPolicy;
import io.pglock.cli.internal.Console;
import io.pglock.cli.internal.ExitCode;
import io.pglock.cli.internal.Stop;
import io.pglock.cli.internal.script.Interruption;
import io.pglock.cli.internal.script.SqlCall;
import io.pglock.cli.internal.script.SqlFailure;
import io.pglock.cli.internal.script.SqlStatement;
import io.pglock.cli.internal.script.SqlUnit;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;

/**
 * A trace of some files, on a server that is in use or on one of its own, and what came out of it. Used once, by one thread. Not
 * API.
 */
public final class TraceRun {

    private final Console console;
    private final Interruption interruption;
    private final boolean json;
    private final List<TracedStatement> traced = new ArrayList<>();

    /** @param json to write one object at the end, and not lines for people at once */
    public TraceRun(Console console, Interruption interruption, boolean json) {
        this.console = console;
        this.interruption = interruption;
        this.json = json;
    }

    /**
     * In one transaction on a server that is in use, which is undone whatever comes.
     *
     * @param policy how long it waits for a lock; it is not tried again
     * @throws Stop when a statement fails, or waits for too long
     */
    public void live(Connection connection, DataSource side, LockPolicy policy, SqlUnit unit) throws SQLException {
        connection.setAutoCommit(false);
        Tracer tracer = new Tracer(connection, interruption, Optional.empty(), console::say);
        try (LockGuard guard =
                LockGuard.open(unit.name(), connection, side, policy, (level, message) -> console.say(message))) {
            try {
                tracer.trace(unit, this::show);
            } catch (Tracer.Failed failed) {
                throw failure(failed, guard.failed(failed.failure().cause()), true);
            }
        }
        end(false);
    }

    /**
     * On a server that nobody else uses: each unit is committed.
     *
     * @param schema what is there before
     * @throws Stop when a statement fails
     */
    public void scratch(ScratchServer server, List<SqlStatement> schema, List<SqlUnit> units) throws SQLException {
        try (Connection loading =
                server.dataSource().getConnection()) { // what it sets ends with it, as pg_dump's search_path
            for (SqlStatement statement : schema) {
                load(loading, statement);
            }
        }
        try (Connection connection = server.dataSource().getConnection();
                Sampler sampler = new Sampler(server.dataSource().getConnection())) {
            connection.setAutoCommit(false);
            Tracer tracer = new Tracer(connection, interruption, Optional.of(sampler), console::say);
            for (SqlUnit unit : units) {
                try {
                    tracer.trace(unit, this::show);
                } catch (Tracer.Failed failed) {
                    throw failure(failed, Optional.empty(), false);
                }
            }
        }
        end(true);
    }

    private void load(Connection connection, SqlStatement statement) throws SQLException {
        interruption.check();
        try {
            SqlCall.run(connection, statement, interruption);
        } catch (SQLException e) {
            throw new Stop(ExitCode.SQL, new SqlFailure(statement, e).text());
        }
    }

    private void show(TracedStatement statement) {
        traced.add(statement);
        if (!json) {
            TraceText.lines(statement).forEach(console::line);
            console.flush();
        }
    }

    /** Nothing more comes: what is one object for programs is written now. */
    public void end(boolean scratch) {
        if (json) {
            TraceJson.write(console.out(), traced, scratch);
            console.flush();
        }
    }

    private static Stop failure(Tracer.Failed failed, Optional<String> explained, boolean live) {
        SqlFailure failure = failed.failure();
        StringBuilder text = new StringBuilder(failure.text());
        explained.ifPresent(why -> text.append("\n  ").append(why));
        if (failure.needsAutocommit()) {
            text.append("\n  ")
                    .append(
                            live
                                    ? "What commits by itself could not be undone on a live server; trace it with --scratch."
                                    : "Leave out -1, or BEGIN and COMMIT around it.");
        }
        if (live) {
            text.append("\n  All of it was rolled back.");
        }
        return new Stop(failure.exitCode(), text.toString());
    }

    /**
     * Whether some lock on what was there before is stronger than this, and which: said on the error output.
     *
     * @return the exit code
     */
    public int check(LockMode strongestAllowed) {
        List<String> exceeding = traced.stream()
                .flatMap(statement -> statement.locks().stream()
                        .filter(lock -> !lock.isNew() && lock.mode().compareTo(strongestAllowed) > 0)
                        .map(lock -> statement.statement().place() + ": "
                                + lock.mode().sql() + " on " + lock.on() + " is stronger than " + strongestAllowed.sql()
                                + "."))
                .toList();
        exceeding.forEach(console::say);
        return exceeding.isEmpty() ? ExitCode.OK : ExitCode.FOUND;
    }
}
