// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.trace;

import io.pglock.cli.internal.Sql;
import io.pglock.cli.internal.script.Interruption;
import io.pglock.cli.internal.script.SqlCall;
import io.pglock.cli.internal.script.SqlFailure;
import io.pglock.cli.internal.script.SqlStatement;
import io.pglock.cli.internal.script.SqlUnit;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.postgresql.PGConnection;

/**
 * Runs statements in transactions, and looks after each which locks the session has got. Used once, by one thread.
 *
 * <p>What a session holds is asked from within itself: it cannot change meanwhile, and relations that nobody else can see yet have
 * names there.
 */
final class Tracer {

    /** A statement failed. */
    static final class Failed extends Exception {

        private static final long serialVersionUID = 1;

        private final transient SqlFailure failure;

        Failed(SqlFailure failure) {
            super(failure.cause());
            this.failure = failure;
        }

        SqlFailure failure() {
            return failure;
        }
    }

    /** A statement and the locks that it added, while its transaction goes on. */
    private record Step(
            SqlStatement statement,
            Duration ran,
            boolean sampled,
            Map<Catalog.Lock, Duration> locks,
            Catalog.Change change) {}

    private final Connection connection;
    private final Interruption interruption;
    private final Optional<Sampler> sampler;
    private final Consumer<String> notices;
    private final Catalog catalog;
    private final int pid;

    /**
     * @param connection the traced session's; autocommit is off
     * @param sampler for what cannot run in a transaction; with one, each unit is committed
     */
    Tracer(Connection connection, Interruption interruption, Optional<Sampler> sampler, Consumer<String> notices)
            throws SQLException {
        this.connection = connection;
        this.interruption = interruption;
        this.sampler = sampler;
        this.notices = notices;
        this.catalog = new Catalog(connection);
        this.pid = connection.unwrap(PGConnection.class).getBackendPID();
        connection.rollback();
    }

    /**
     * Runs a unit, and ends its transaction: for good where there is a sampler, else undoes it.
     *
     * @param told about each statement, when nothing is locked any more: whoever reads it may take their time
     * @throws Failed when a statement fails; then all of the unit is undone
     */
    void trace(SqlUnit unit, Consumer<TracedStatement> told) throws SQLException, Failed {
        List<Step> steps = new ArrayList<>();
        boolean through = false;
        try {
            Set<Catalog.Lock> held = new HashSet<>();
            for (SqlStatement statement : unit.statements()) {
                if (!statement.beginsTransaction() && !statement.endsTransaction()) {
                    steps.add(step(statement, held, unit.kind() == SqlUnit.Kind.STATEMENT));
                } else if (statement.beginsTransaction()) {
                    begin(statement);
                }
            }
            if (sampler.isPresent() && !unit.isUndone()) {
                commit(unit.last());
                through = true;
            }
        } finally {
            if (!through) {
                rollBack();
            }
        }
        traced(steps).forEach(told);
    }

    private void rollBack() {
        try {
            if (!connection.isClosed()) {
                connection.rollback();
            }
        } catch (SQLException e) {
            // the session is lost, and all that was open in it
        }
    }

    private void commit(SqlStatement last) throws Failed {
        try {
            connection.commit();
        } catch (SQLException e) {
            throw new Failed(new SqlFailure(last, e));
        }
    }

    /** BEGIN may say what kind of transaction it is. */
    private void begin(SqlStatement statement) throws SQLException, Failed {
        String modes = statement
                .sql()
                .replaceFirst("(?is)^(begin|start)(\\s+(work|transaction))?", "")
                .strip();
        if (!modes.isEmpty()) {
            try (Statement set = connection.createStatement()) {
                set.execute(Sql.transactionModes(modes));
            } catch (SQLException e) {
                throw new Failed(new SqlFailure(statement, e));
            }
        }
    }

    private Step step(SqlStatement statement, Set<Catalog.Lock> held, boolean alone) throws SQLException, Failed {
        long begun = System.nanoTime();
        try {
            run(statement);
        } catch (SQLException e) {
            interruption.check();
            SqlFailure failure = new SqlFailure(statement, e);
            if (alone && failure.needsAutocommit() && sampler.isPresent()) {
                return sampled(statement, sampler.get());
            }
            throw new Failed(failure);
        }
        Duration ran = Duration.ofNanos(System.nanoTime() - begun);
        Catalog.Change change = noChange();
        Set<Catalog.Lock> now = catalog.locks(change);
        Map<Catalog.Lock, Duration> added = new HashMap<>();
        now.stream().filter(lock -> !isCovered(lock, held)).forEach(lock -> added.put(lock, Duration.ZERO));
        held.addAll(now);
        return new Step(statement, ran, false, added, change);
    }

    private static boolean isCovered(Catalog.Lock lock, Set<Catalog.Lock> held) {
        return held.stream()
                .anyMatch(other -> other.relation() == lock.relation() && TracedLock.covers(other.mode(), lock.mode()));
    }

    /** In autocommit, as the statement wants it. */
    private Step sampled(SqlStatement statement, Sampler looking) throws SQLException, Failed {
        connection.rollback();
        connection.setAutoCommit(true);
        try {
            Sampler.Sampling sampling = looking.begin(pid);
            long begun = System.nanoTime();
            Optional<SQLException> failure = Optional.empty();
            try {
                run(statement);
            } catch (SQLException e) {
                failure = Optional.of(e);
            }
            Duration ran = Duration.ofNanos(System.nanoTime() - begun);
            Map<Catalog.Lock, Duration> seen = sampling.end();
            interruption.check();
            if (failure.isPresent()) {
                throw new Failed(new SqlFailure(statement, failure.get()));
            }
            Catalog.Change change = noChange();
            catalog.readAgain(change);
            return new Step(statement, ran, true, seen, change);
        } finally {
            if (!connection.isClosed()) {
                connection.setAutoCommit(false);
            }
        }
    }

    private void run(SqlStatement statement) throws SQLException {
        interruption.check();
        SqlCall.run(connection, statement, interruption)
                .notices()
                .forEach(notice -> notices.accept(statement.place() + ": " + notice));
    }

    private static Catalog.Change noChange() {
        return new Catalog.Change(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    }

    // ---- how long it was held ---------------------------------------------------------------------------------------

    private List<TracedStatement> traced(List<Step> steps) {
        List<TracedStatement> traced = new ArrayList<>();
        Duration untilTheEnd = Duration.ZERO;
        for (int i = steps.size() - 1; i >= 0; i--) {
            Step step = steps.get(i);
            untilTheEnd = untilTheEnd.plus(step.ran());
            Duration held = untilTheEnd;
            List<TracedLock> locks = step.locks().entrySet().stream()
                    .filter(entry -> isStrongest(entry.getKey(), step.locks().keySet()))
                    .flatMap(entry -> lock(entry.getKey(), step.sampled() ? entry.getValue() : held))
                    .sorted((a, b) -> a.mode() == b.mode()
                            ? a.on().toString().compareTo(b.on().toString())
                            : b.mode().compareTo(a.mode()))
                    .toList();
            Catalog.Change change = step.change();
            traced.add(
                    0,
                    new TracedStatement(
                            step.statement(),
                            step.ran(),
                            step.sampled(),
                            locks,
                            change.rewritten(),
                            change.created(),
                            change.dropped()));
        }
        return traced;
    }

    /** The others of one statement on the same relation say nothing more. */
    private static boolean isStrongest(Catalog.Lock lock, Set<Catalog.Lock> all) {
        return all.stream()
                .noneMatch(other -> other.relation() == lock.relation()
                        && other.mode() != lock.mode()
                        && TracedLock.covers(other.mode(), lock.mode()));
    }

    private Stream<TracedLock> lock(Catalog.Lock lock, Duration held) {
        return catalog.relation(lock.relation()).stream()
                .map(on -> new TracedLock(
                        on,
                        on.indexed().flatMap(catalog::relation).or(() -> Optional.of(on)),
                        lock.mode(),
                        !catalog.isOriginal(on.oid()),
                        held));
    }
}
