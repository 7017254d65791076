// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.upgrade;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;

// docs: start-agent-program
/** Brings the shop's database up to date. Neither it nor anything on its class path knows of pglock. */
public final class Upgrade {

    private Upgrade() {}

    /** @param arguments none; the variable {@code SHOP} is the database's URL */
    public static void main(String[] arguments) throws SQLException {
        try (Connection shop = DriverManager.getConnection(System.getenv("SHOP"));
                Statement statement = shop.createStatement()) {
            statement.execute("create table if not exists orders (id int)");
            addNote(statement);
        }
        System.out.println("The shop is up to date.");
    }

    private static void addNote(Statement statement) throws SQLException {
        statement.execute("alter table orders add column if not exists note text");
    }
}
// end
