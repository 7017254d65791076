// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.start;

// docs: start-jdbc-program
import io.pglock.LockGuard;
import io.pglock.LockPolicy;
import io.pglock.PgLock;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.postgresql.ds.PGSimpleDataSource;

/** Adds a column to a table in use, on one machine at a time. */
public final class AddNote {

    private AddNote() {}

    /** @param arguments pglock's settings: {@code prioritize=terminate}; the variable {@code SHOP} is the database's URL */
    public static void main(String[] arguments) throws SQLException {
        PGSimpleDataSource shop = new PGSimpleDataSource();
        shop.setUrl(System.getenv("SHOP"));
        LockPolicy policy = arguments.length == 0
                ? LockPolicy.defaults()
                : LockPolicy.parse(LockPolicy.settings(String.join(" ", arguments)));

        try (Connection connection = shop.getConnection()) {
            boolean ran = PgLock.on(connection)
                    .advisory("add-note")
                    .timeout(Duration.ZERO)
                    .tryRun(() -> addNote(connection, shop, policy));
            System.out.println(ran ? "orders has a note." : "Somebody else is adding it.");
        }
    }

    private static void addNote(Connection connection, PGSimpleDataSource shop, LockPolicy policy) throws SQLException {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement();
                LockGuard guard = LockGuard.open("add-note", connection, shop, policy, LockGuard.Messages.SYSTEM)) {
            guard.run(
                    () -> statement.execute("alter table orders add column if not exists note text"),
                    connection::rollback); // frees every lock before it waits for another attempt
        }
        connection.commit();
        connection.setAutoCommit(true);
    }
}
// end
