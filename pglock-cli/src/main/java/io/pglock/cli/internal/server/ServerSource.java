// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.server;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/** pgjdbc's source of connections, which asks for a password where the server wants one, and says why it cannot. Thread-safe. */
final class ServerSource extends PGSimpleDataSource {

    private static final long serialVersionUID = 1;

    private final transient Place place;
    private final boolean mayAsk;
    private Optional<String> mention = Optional.empty();
    private boolean asked;

    ServerSource(Place place, boolean mayAsk) {
        this.place = place;
        this.mayAsk = mayAsk;
    }

    /** To be said when no password is found. */
    void mention(String what) {
        mention = Optional.of(what);
    }

    Place place() {
        return place;
    }

    @Override
    public Connection getConnection(@Nullable String user, @Nullable String password) throws SQLException {
        try {
            return super.getConnection(user, password);
        } catch (SQLException e) {
            if (!ServerFailure.isWithoutPassword(e)) {
                throw ServerFailure.connecting(place, e, Optional.empty());
            }
            return ask(user, e);
        }
    }

    private Connection ask(@Nullable String user, SQLException unanswered) throws SQLException {
        synchronized (this) {
            if (!asked && mayAsk) {
                PasswordPrompt.ask("Password of " + place.user().value()).ifPresent(this::setPassword);
                asked = true;
            }
        }
        String password = getPassword();
        if (password == null) {
            throw ServerFailure.connecting(place, unanswered, mention);
        }
        try {
            return super.getConnection(user, password);
        } catch (SQLException e) {
            throw ServerFailure.connecting(place, e, Optional.empty());
        }
    }
}
