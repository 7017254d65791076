// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.agent;

import io.pglock.bench.RoundTrips;
import io.pglock.bench.locks.LockNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * A JVM, with the agent or without it, that sends statements when it is told to: one command a line on standard input, one
 * answer a line on standard output. See {@link AgentStatements} for the other end.
 */
public final class AgentNode {

    private static final int COUNTED = 20;

    private final Connection autoCommit;
    private final Connection transactions;
    private final Connection used;
    private @Nullable Bystander bystander;

    private AgentNode(String url, String user, String password) throws SQLException {
        autoCommit = DriverManager.getConnection(url, user, password);
        transactions = DriverManager.getConnection(url, user, password);
        transactions.setAutoCommit(false);
        used = DriverManager.getConnection(url, user, password);
    }

    /** @param arguments URL, user and password */
    public static void main(String[] arguments) throws Exception {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var node = new AgentNode(arguments[0], arguments[1], arguments[2]);
        Guarded.timeouts(() -> select(node.used));
        String counting =
                arguments[0] + (arguments[0].contains("?") ? "&" : "?") + "socketFactory=" + RoundTrips.class.getName();
        var counted = new AgentNode(counting, arguments[1], arguments[2]);
        Guarded.timeouts(() -> select(counted.used));
        answer("ready");
        for (String command = input.readLine(); command != null && !command.equals("end"); command = input.readLine()) {
            String[] words = command.split(" ", -1);
            answer(
                    words[0].equals("trips")
                            ? counted.trips(AgentStatements.Case.valueOf(words[1]))
                            : node.run(AgentStatements.Case.valueOf(words[1]), Long.parseLong(words[2])));
        }
    }

    private static void answer(String text) {
        System.out.println(LockNode.ANSWER + text);
        System.out.flush();
    }

    /** For this many nanoseconds; answers how many each took. */
    private String run(AgentStatements.Case one, long nanos) throws Exception {
        arm(one.isArmed());
        long begin = System.nanoTime();
        long now = begin;
        int count = 0;
        while (now - begin < nanos) {
            once(one);
            count++;
            now = System.nanoTime();
        }
        return Double.toString((now - begin) / (double) count);
    }

    /** Answers how many round trips each takes, once everything is prepared. */
    private String trips(AgentStatements.Case one) throws Exception {
        arm(one.isArmed());
        for (int i = 0; i < COUNTED; i++) {
            once(one);
        }
        RoundTrips.take();
        for (int i = 0; i < COUNTED; i++) {
            once(one);
        }
        return Double.toString(RoundTrips.take() / (double) COUNTED);
    }

    private void once(AgentStatements.Case one) throws Exception {
        switch (one) {
            case STATEMENT, STATEMENT_ARMED -> select(autoCommit);
            case STATEMENT_ARMED_USED -> select(used);
            case STATEMENT_TIMEOUTS -> Guarded.timeouts(() -> select(used));
            case TRANSACTION -> transaction();
            case TRANSACTION_TIMEOUTS -> Guarded.timeouts(this::transaction);
            case TRANSACTION_DEFAULTS -> Guarded.defaults(this::transaction);
            case TRANSACTION_ADVISORY -> Guarded.advisory(this::transaction);
        }
    }

    private void transaction() throws SQLException {
        select(transactions);
        transactions.commit();
    }

    /** Not {@code select 1}: the agent knows that pools ask that, and leaves it alone. */
    private static void select(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("select 6 * 7");
                ResultSet row = statement.executeQuery()) {
            row.next();
            if (row.getInt(1) != 42) {
                throw new IllegalStateException("the server counts differently");
            }
        }
    }

    private void arm(boolean wanted) {
        Bystander there = bystander;
        if (wanted && there == null) {
            bystander = new Bystander();
        } else if (!wanted && there != null) {
            there.close();
            bystander = null;
        }
        if (Bystander.isArmed() != wanted) {
            throw new IllegalStateException(wanted ? "the agent guards nothing" : "the agent guards something");
        }
    }
}
