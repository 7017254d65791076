// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.doctor;

import static io.pglock.cli.internal.doctor.Finding.bad;
import static io.pglock.cli.internal.doctor.Finding.ok;
import static io.pglock.cli.internal.doctor.Finding.warn;

import io.pglock.cli.internal.Sql;
import io.pglock.internal.Text;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The part of an examination that is about transactions: prepared, old, and idle. */
record Transactions(Connection connection, Facts facts, Duration old) {

    /** A transaction of a client. */
    private record Open(int pid, String who, Optional<String> state, Duration age, Duration stateAge, String query) {

        static Open read(ResultSet row) throws SQLException {
            String who = Stream.of(row.getString("application_name"), row.getString("usename"))
                    .filter(name -> name != null && !name.isBlank())
                    .findFirst()
                    .orElse("?");
            return new Open(
                    row.getInt("pid"),
                    who + " on " + row.getString("datname"),
                    Optional.ofNullable(row.getString("state")),
                    millis(row, "age_ms"),
                    millis(row, "state_age_ms"),
                    Text.shorten(Optional.ofNullable(row.getString("query")).orElse(""), 60));
        }

        boolean isIdle() {
            return state.filter(value -> value.startsWith("idle in transaction"))
                    .isPresent();
        }

        String describe() {
            return "pid " + pid + " (" + who + ", " + state.orElse("?") + " for " + Text.age(stateAge) + ": \"" + query
                    + "\")";
        }
    }

    private static Duration millis(ResultSet row, String column) throws SQLException {
        return Duration.ofMillis(Math.max(0, row.getLong(column)));
    }

    List<Finding> findings() throws SQLException {
        List<Finding> findings = new ArrayList<>(prepared());
        List<Open> open = open();
        findings.add(oldest(open));
        findings.add(idle(open.stream().filter(Open::isIdle).toList()));
        return findings;
    }

    private List<Finding> prepared() throws SQLException {
        List<Finding> findings = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(Sql.DOCTOR_PREPARED)) {
            while (row.next()) {
                String gid = row.getString("gid");
                String database = row.getString("database");
                Duration age = millis(row, "age_ms");
                String says = "\"" + gid + "\" of " + row.getString("owner") + " in " + database + " was prepared "
                        + Text.age(age) + " ago and keeps its locks, even through a restart";
                String remedy = "ROLLBACK PREPARED " + Text.literal(gid) + "; (or COMMIT PREPARED"
                        + (database.equals(facts.database()) ? ")" : ", in database " + database + ")");
                findings.add(age.compareTo(old) >= 0 ? bad("prepared", says, remedy) : warn("prepared", says, remedy));
            }
        }
        return findings.isEmpty() ? List.of(ok("prepared", "there is no prepared transaction")) : findings;
    }

    private List<Open> open() throws SQLException {
        List<Open> open = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(Sql.DOCTOR_TRANSACTIONS)) {
            while (row.next()) {
                open.add(Open.read(row));
            }
        }
        return open;
    }

    private Finding oldest(List<Open> open) {
        String blind = facts.maySee() ? "" : ", of those that " + facts.role() + " may see";
        if (open.isEmpty()) {
            return ok("oldest-transaction", "nobody else is in a transaction" + blind);
        }
        Open oldest = open.get(0);
        String says = "the oldest transaction is open for " + Text.age(oldest.age()) + blind;
        return oldest.age().compareTo(old) >= 0
                ? warn(
                        "oldest-transaction",
                        says + ": " + oldest.describe(),
                        "Wait for it, or end it: pglock terminate " + oldest.pid()
                                + ". What it has locked is locked until then, and CONCURRENTLY waits for it.")
                : ok("oldest-transaction", says);
    }

    private Finding idle(List<Open> idle) {
        boolean limited = !facts.idleTimeout().isZero()
                && idle.stream().noneMatch(each -> each.stateAge().compareTo(facts.idleTimeout()) > 0);
        String limit = facts.idleTimeout().isZero()
                ? "idle_in_transaction_session_timeout is not set"
                : "idle_in_transaction_session_timeout is " + Text.age(facts.idleTimeout())
                        + (limited ? "" : " for " + facts.role() + ", and not for everybody");
        if (idle.isEmpty()) {
            return ok("idle-in-transaction", "nobody else idles in a transaction; " + limit);
        }
        String who = idle.stream().limit(3).map(Open::describe).collect(Collectors.joining(", "))
                + (idle.size() > 3 ? " and " + (idle.size() - 3) + " more" : "");
        return limited
                ? ok("idle-in-transaction", who + "; " + limit)
                : warn(
                        "idle-in-transaction",
                        who + "; " + limit,
                        "ALTER DATABASE " + Text.identifier(facts.database())
                                + " SET idle_in_transaction_session_timeout = '60s'; (for new sessions)");
    }
}
