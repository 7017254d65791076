// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.Backend;
import io.pglock.LockKey;
import io.pglock.LockMode;
import io.pglock.TableName;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Who is in the way of a lock that was not acquired, asked on the same session for the end of the message. It is asked after
 * the fact, changes nothing, and what goes wrong with it is nobody's failure. Not API.
 */
public final class Blockers {

    private static final int SHOWN = 3;

    /** Found by a lock in a mode that conflicts, granted or asked for. */
    private record Blocker(Backend backend, boolean holds) {

        static Blocker read(ResultSet row) throws SQLException {
            Backend backend = row.getBoolean("is_prepared") ? Rows.prepared(row) : Rows.backend(row);
            return new Blocker(backend, row.getBoolean("granted"));
        }
    }

    private Blockers() {}

    /** {@code , blocked by pid 4711 (...). Try again when it is gone ...}; only a full stop where nothing can be said. */
    public static String ofKey(PgSession session, LockKey key, boolean shared) {
        return ask(session, Sql.blockersOnKey(session.majorVersion()), statement -> {
            statement.setLong(1, key.classId());
            statement.setLong(2, key.objId());
            statement.setInt(3, key.objSubId());
            // advisory locks know these two modes, of which only shared ones go together
            String[] modes = shared ? new String[] {"ExclusiveLock"} : new String[] {"ExclusiveLock", "ShareLock"};
            statement.setArray(4, session.connection().createArrayOf("text", modes));
        });
    }

    /** The same for tables, with their partitions and children unless {@code only}. */
    public static String ofTables(PgSession session, List<TableName> tables, LockMode mode, boolean only) {
        return ask(session, Sql.blockersOnTables(session.majorVersion()), statement -> {
            statement.setArray(
                    1, array(session, tables.stream().map(TableName::sql).toList()));
            statement.setBoolean(2, !only);
            statement.setArray(
                    3,
                    array(
                            session,
                            mode.conflicts().stream().map(LockMode::pgLocksName).toList()));
        });
    }

    private static Array array(PgSession session, List<String> texts) throws SQLException {
        return session.connection().createArrayOf("text", texts.toArray());
    }

    private static String ask(PgSession session, String question, Pipeline.Binding parameters) {
        try {
            return describe(session.withoutTransaction(() -> {
                String statements = Sql.ASK_BRIEFLY + "; " + question;
                return Pipeline.query(
                        session,
                        session.inTransaction() ? Sql.undone(statements) : statements,
                        parameters,
                        Blocker::read);
            }));
        } catch (SQLException e) {
            Failures.makeUpFor(e, () -> Failures.rollBackToSavepoint(session));
            return ".";
        }
    }

    private static String describe(List<Blocker> found) {
        List<Backend> holders = backends(found, true);
        if (!holders.isEmpty()) {
            return ", blocked by " + list(holders) + ". " + remedy(holders);
        }
        List<Backend> ahead = backends(found, false);
        return ahead.isEmpty()
                ? ". Nobody holds it any more: try again."
                : ", queued behind " + list(ahead) + ". " + remedy(ahead);
    }

    /** Each once, though it may hold several locks. */
    private static List<Backend> backends(List<Blocker> found, boolean holding) {
        return found.stream()
                .filter(blocker -> blocker.holds() == holding)
                .map(Blocker::backend)
                .collect(Collectors.toMap(
                        backend -> backend.pid() + backend.preparedGid().orElse(""),
                        backend -> backend,
                        (first, again) -> first,
                        LinkedHashMap::new))
                .values()
                .stream()
                .toList();
    }

    private static String list(List<Backend> backends) {
        String shown = backends.stream().limit(SHOWN).map(Backend::describe).collect(Collectors.joining(", "));
        return backends.size() > SHOWN ? shown + " and " + (backends.size() - SHOWN) + " more" : shown;
    }

    private static String remedy(List<Backend> backends) {
        Optional<Backend> session = backends.size() == 1
                ? backends.stream()
                        .filter(backend -> !backend.isPreparedTransaction())
                        .findFirst()
                : Optional.empty();
        return session.filter(Blockers::isOfLockClient).isPresent()
                ? "It is the session of a LockClient, with all locks of that application: try again when this one is released."
                : "Try again when " + (backends.size() == 1 ? "it is" : "they are") + " gone"
                        + session.map(backend -> ", or end it: select pg_terminate_backend(" + backend.pid() + ").")
                                .orElse(".");
    }

    /** To end it would take from its application what it holds besides. */
    private static boolean isOfLockClient(Backend backend) {
        return (" " + backend.application().orElse("")).endsWith(" " + SessionSettings.APPLICATION);
    }
}
