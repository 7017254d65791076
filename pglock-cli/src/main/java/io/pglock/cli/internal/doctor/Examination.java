// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.doctor;

import static io.pglock.cli.internal.doctor.Finding.bad;
import static io.pglock.cli.internal.doctor.Finding.ok;
import static io.pglock.cli.internal.doctor.Finding.warn;

import io.pglock.LockClient;
import io.pglock.LockNotSupportedException;
import io.pglock.PgLockException;
import io.pglock.cli.internal.Sql;
import io.pglock.cli.internal.server.Server;
import io.pglock.internal.Text;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.postgresql.PGConnection;

/** Looks at a server, a database and a role, and says what stands in pglock's way. Changes nothing. One use. Not API. */
public final class Examination {

    private static final int OLDEST_VERSION = 10;
    private static final int NEWEST_VERSION = 18;
    private static final long SMALLEST_QUERY = 1024;
    private static final Duration LARGEST_SKEW = Duration.ofSeconds(2);

    private final Server server;
    private final Optional<Duration> lockTimeout;
    private final Duration old;
    private final Clock clock;
    private final List<Finding> findings = new ArrayList<>();

    /**
     * Nothing is asked yet.
     *
     * @param lockTimeout the one that migrations run with; empty for none
     * @param old from which age on a transaction is worth a word
     * @param clock this machine's
     */
    public Examination(Server server, Optional<Duration> lockTimeout, Duration old, Clock clock) {
        this.server = server;
        this.lockTimeout = lockTimeout;
        this.old = old;
        this.clock = clock;
    }

    /** All that was looked at, in the order in which one would ask. */
    public List<Finding> run() throws SQLException {
        try (Connection connection = server.connect()) {
            DatabaseMetaData reported = connection.getMetaData();
            if (reported.getDatabaseMajorVersion() < OLDEST_VERSION) {
                // its catalogs know nothing of what would be asked for
                return List.of(bad(
                        "version",
                        "PostgreSQL " + reported.getDatabaseProductVersion(),
                        "pglock needs PostgreSQL " + OLDEST_VERSION + " or newer."));
            }
            Facts facts = Facts.read(connection, clock);
            version(facts);
            standby(facts);
            pooler(connection, facts);
            rights(facts);
            lockTimeout(facts);
            locks(connection, facts);
            findings.addAll(new Transactions(connection, facts, old).findings());
            invalidIndexes(connection, facts);
            settings(facts);
            return findings;
        }
    }

    private void version(Facts facts) {
        String says = "PostgreSQL " + facts.version() + ", database " + facts.database() + ", as " + facts.role();
        if (facts.majorVersion() > NEWEST_VERSION) {
            findings.add(warn(
                    "version",
                    says,
                    "This pglock was tested up to PostgreSQL " + NEWEST_VERSION + ": look for a newer one."));
        } else {
            findings.add(ok("version", says));
        }
    }

    private void standby(Facts facts) {
        findings.add(
                facts.standby()
                        ? bad(
                                "standby",
                                "this server is a standby: a lock taken here excludes nobody on the primary",
                                "Connect to the primary, or give all hosts and target_session_attrs=primary.")
                        : ok("standby", "this server is the primary"));
    }

    private void pooler(Connection connection, Facts facts) throws SQLException {
        if (connection.unwrap(PGConnection.class).getBackendPID() == facts.pid()) {
            findings.add(ok("pooler", "the connection is direct"));
        } else if (facts.standby()) {
            findings.add(warn(
                    "pooler",
                    "there is a pooler in between; whether it keeps sessions apart cannot be told on a standby",
                    "Connect directly."));
        } else {
            findings.add(behindPooler());
        }
    }

    /** Core knows how to tell: it refuses. */
    private Finding behindPooler() {
        try (LockClient client = LockClient.create(server.dataSource())) {
            return warn(
                    "pooler",
                    "there is a pooler in between, which keeps sessions apart (" + client + ")",
                    "A LockClient and pglock run work. Connect directly for migrations: what has one session alone cannot tell this from"
                            + " a server for each transaction, so timeouts hold inside a transaction only, and nobody is watched.");
        } catch (LockNotSupportedException e) {
            return bad(
                    "pooler",
                    "there is a pooler in between, which hands out a server for each transaction",
                    "Session locks, and with them pglock run, are refused, and so are timeouts outside of a transaction; nobody is watched:"
                            + " connect directly to the server, or use pool_mode=session for a LockClient and pglock run.");
        } catch (PgLockException e) {
            return bad(
                    "pooler",
                    "there is a pooler in between, and what it does cannot be told: " + e.getMessage(),
                    "Connect directly to the server.");
        }
    }

    private void rights(Facts facts) {
        String role = Text.identifier(facts.role());
        findings.add(
                facts.maySignal()
                        ? ok("signal", facts.role() + " may cancel and terminate the sessions of others")
                        : warn(
                                "signal",
                                facts.role() + " may cancel and terminate its own sessions only",
                                "GRANT pg_signal_backend TO " + role + "; (sessions of superusers stay out of reach)"));
        findings.add(
                facts.maySee()
                        ? ok("stats", facts.role() + " sees what the sessions of others do")
                        : warn(
                                "stats",
                                facts.role() + " sees neither state, age nor query of the sessions of others",
                                "GRANT pg_read_all_stats TO " + role + "; (or pg_monitor)"));
    }

    private void lockTimeout(Facts facts) {
        String deadlock = "deadlock_timeout is " + Text.age(facts.deadlockTimeout());
        if (lockTimeout.isEmpty()) {
            findings.add(warn(
                    "lock-timeout",
                    "without a lock timeout everybody waits behind a migration that waits",
                    "Give one that is longer than deadlock_timeout (" + Text.age(facts.deadlockTimeout()) + ")."));
        } else if (lockTimeout.get().compareTo(facts.deadlockTimeout()) <= 0) {
            findings.add(warn(
                    "lock-timeout",
                    deadlock + ", a lock timeout of " + Text.age(lockTimeout.get())
                            + " ends before autovacuum gives way: such an attempt is made longer",
                    "Let lockTimeout be longer than " + Text.age(facts.deadlockTimeout())
                            + ", or lower deadlock_timeout: ALTER DATABASE " + Text.identifier(facts.database())
                            + " SET deadlock_timeout = '500ms'; (as a superuser)"));
        } else {
            findings.add(
                    ok("lock-timeout", deadlock + ", shorter than a lock timeout of " + Text.age(lockTimeout.get())));
        }
    }

    private void locks(Connection connection, Facts facts) throws SQLException {
        String room = facts.locksInUse() + " of about " + facts.slots() + " locks are in use";
        String remedy = "ALTER SYSTEM SET max_locks_per_transaction = " + 2 * facts.locksEach()
                + "; and restart, or end who holds so many: pglock ls";
        long used = facts.locksInUse() * 100 / facts.slots();
        if (used >= 80) {
            findings.add(bad("locks", room + ": soon nobody can lock anything", remedy));
        } else {
            findings.add(used >= 50 ? warn("locks", room, remedy) : ok("locks", room));
        }
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(Sql.DOCTOR_LARGEST_TREE)) {
            if (row.next()) {
                largestTree(facts, row.getString("name"), row.getLong("partitions"), row.getLong("locks"));
            }
        }
    }

    private void largestTree(Facts facts, String name, long partitions, long locks) {
        String says = "to lock all of " + name + ", with " + partitions + " partitions, takes " + locks
                + " locks of the " + Math.max(0, facts.slots() - facts.locksInUse()) + " that are free";
        long each = (locks + facts.locksInUse()) * 2 / facts.sessions() + 1;
        String remedy =
                "ALTER SYSTEM SET max_locks_per_transaction = " + Math.max(each, facts.locksEach()) + "; and restart.";
        long free = facts.slots() - facts.locksInUse();
        if (locks > free) {
            findings.add(bad("partitions", says, remedy));
        } else {
            findings.add(2 * locks > free ? warn("partitions", says, remedy) : ok("partitions", says));
        }
    }

    private void invalidIndexes(Connection connection, Facts facts) throws SQLException {
        int before = findings.size();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(Sql.DOCTOR_INVALID_INDEXES)) {
            while (row.next()) {
                String index = row.getString("index");
                findings.add(bad(
                        "invalid-index",
                        index + " on " + row.getString("on_table")
                                + " is invalid: it costs every write, and serves no query",
                        remedy(row, index, facts)));
            }
        }
        if (findings.size() == before) {
            findings.add(ok("invalid-index", "every index is valid"));
        }
    }

    private static String remedy(ResultSet row, String index, Facts facts) throws SQLException {
        if (row.getBoolean("partitioned")) {
            return "Create the index on every partition that lacks it, and attach it: ALTER INDEX " + index
                    + " ATTACH PARTITION ...";
        }
        if (row.getBoolean("of_constraint")) {
            return facts.majorVersion() >= 12 && !row.getBoolean("exclusion")
                    ? "REINDEX INDEX CONCURRENTLY " + index + ";"
                    : "REINDEX INDEX " + index + "; (which locks out writers)";
        }
        String drop = "DROP INDEX CONCURRENTLY " + index + ";";
        if (row.getBoolean("left_behind")) {
            return drop + " (a REINDEX CONCURRENTLY has left it)";
        }
        return drop + " and create it again"
                + (facts.majorVersion() >= 12 ? ", or REINDEX INDEX CONCURRENTLY " + index + ";" : ".");
    }

    private void settings(Facts facts) {
        findings.add(
                facts.querySize() < SMALLEST_QUERY
                        ? warn(
                                "query-size",
                                "track_activity_query_size is " + facts.querySize()
                                        + ": of longer queries the end is not seen",
                                "ALTER SYSTEM SET track_activity_query_size = '4kB'; and restart.")
                        : ok("query-size", "track_activity_query_size is " + facts.querySize()));
        findings.add(
                facts.logsLockWaits()
                        ? ok("log-lock-waits", "log_lock_waits is on")
                        : new Finding(
                                Finding.Level.OK,
                                "log-lock-waits",
                                "log_lock_waits is off",
                                Optional.of(
                                        "A hint: ALTER SYSTEM SET log_lock_waits = on; then the server's log tells of waits"
                                                + " longer than deadlock_timeout.")));
        Duration skew = facts.clockAhead();
        findings.add(
                skew.abs().compareTo(LARGEST_SKEW) > 0
                        ? warn(
                                "clock",
                                "the server's clock is " + Text.age(skew.abs())
                                        + (skew.isNegative() ? " behind" : " ahead of") + " this machine's",
                                "Let both follow NTP: times in logs and reports do not go together.")
                        : ok("clock", "the server's clock and this machine's agree"));
    }
}
