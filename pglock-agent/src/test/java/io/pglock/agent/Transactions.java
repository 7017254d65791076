// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.execute;

import java.sql.Connection;

/** An application with methods that have a timeout, and every state in which a transaction can be when they begin and end. */
final class Transactions {

    private Transactions() {}

    public static void main(String... arguments) throws Exception {
        Readings readings = Readings.of(arguments);
        try (Connection connection = readings.connect()) {
            execute(connection, "drop table if exists seen, noted");
            execute(connection, "create table seen (id int)");
            execute(connection, "create table noted (id int, setting text)");
        }
        new TransactionStates(readings).all();
        new TransactionSettings(readings).all();
        new TransactionStatements(readings).all();
        readings.line("armed", Readings.armed());
    }
}
