// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.server;

import io.pglock.LockLostException;
import io.pglock.LockNotSupportedException;
import io.pglock.LockTimeoutException;
import io.pglock.PgLockException;
import io.pglock.cli.internal.ExitCode;
import io.pglock.cli.internal.Stop;
import io.pglock.internal.SqlState;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.sql.SQLException;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** What a failure of the server, or of core, is to whoever typed the command: a sentence and an exit code. Stateless. Not API. */
public final class ServerFailure {

    private static final String REJECTED = "08004";
    private static final String WRONG_PASSWORD = "28P01";
    private static final String NOT_AUTHORIZED = "28000";
    private static final String NO_DATABASE = "3D000";
    private static final String NO_ROOM = "53300";
    private static final String STARTING = "57P03";

    private ServerFailure() {}

    /** Empty for a defect of pglock. */
    public static Optional<Stop> of(Throwable failure) {
        if (failure instanceof Stop stop) {
            return Optional.of(stop);
        }
        if (failure instanceof SQLException sql) {
            return Optional.of(new Stop(code(sql), message(sql)));
        }
        if (failure instanceof LockTimeoutException timeout) {
            return Optional.of(stop(ExitCode.NOT_ACQUIRED, timeout));
        }
        if (failure instanceof LockNotSupportedException || failure instanceof LockLostException) {
            return Optional.of(stop(ExitCode.UNAVAILABLE, failure));
        }
        if (failure instanceof PgLockException && failure.getCause() instanceof SQLException sql) {
            // where there is no connection our own message says it all
            return Optional.of(
                    sql instanceof NotConnected || SqlState.isConnectionLost(sql)
                            ? new Stop(code(sql), message(sql))
                            : stop(code(sql), failure));
        }
        return Optional.empty();
    }

    private static Stop stop(int code, Throwable failure) {
        return new Stop(code, line(failure));
    }

    private static String line(Throwable failure) {
        return String.valueOf(failure.getMessage()).replaceAll("\\s*\n\\s*", " ");
    }

    private static int code(SQLException failure) {
        String state = Optional.ofNullable(failure.getSQLState()).orElse("");
        if (state.equals(SqlState.INSUFFICIENT_PRIVILEGE)) {
            return ExitCode.NOT_PERMITTED;
        }
        if (state.equals(SqlState.LOCK_NOT_AVAILABLE)) {
            return ExitCode.NOT_ACQUIRED;
        }
        boolean unavailable = failure instanceof NotConnected
                || SqlState.isConnectionLost(failure)
                || state.startsWith("28")
                || state.startsWith("53")
                || state.equals(NO_DATABASE);
        return unavailable ? ExitCode.UNAVAILABLE : ExitCode.SQL;
    }

    private static String message(SQLException failure) {
        if (failure instanceof NotConnected) {
            return String.valueOf(failure.getMessage());
        }
        return SqlState.isConnectionLost(failure)
                ? "The connection to the server is lost: "
                        + (isSilence(failure) ? "it does not answer any more" : reason(failure)) + "."
                : capital(reason(failure)) + ".";
    }

    private static boolean isSilence(Throwable failure) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause)
                .anyMatch(SocketTimeoutException.class::isInstance);
    }

    // ---- connecting -------------------------------------------------------------------------------------------------

    /** A connection that was not made; its message is for people. */
    private static final class NotConnected extends SQLException {

        private static final long serialVersionUID = 1;

        NotConnected(String message, SQLException cause) {
            super(message, cause.getSQLState(), cause);
        }
    }

    /** The server wants a password, and none was given. */
    static boolean isWithoutPassword(SQLException failure) {
        return REJECTED.equals(failure.getSQLState())
                && String.valueOf(failure.getMessage()).contains("no password was provided");
    }

    /** @param mention why no password was found, where that was it */
    static SQLException connecting(Place place, SQLException failure, Optional<String> mention) {
        String why = isWithoutPassword(failure) ? "the server wants a password, and there is none" : reason(failure);
        String what = mention.map(known -> known + ". ").orElse("") + remedy(place, failure);
        return new NotConnected(
                "Cannot connect to " + place + ": " + why + ". " + what + "(" + capital(place.origins()) + ".)",
                failure);
    }

    private static String remedy(Place place, SQLException failure) {
        if (isWithoutPassword(failure)) {
            return "Set PGPASSWORD, write it to ~/.pgpass, or call pglock at a terminal. ";
        }
        return switch (Optional.ofNullable(failure.getSQLState()).orElse("")) {
            case WRONG_PASSWORD ->
                "The password came "
                        + place.password()
                                .map(Parameters.Given::origin)
                                .orElse("from ~/.pgpass, PGPASSFILE or the prompt")
                        + ". ";
            case NO_DATABASE -> "Name another one with --database. ";
            case NO_ROOM -> "Try again when somebody has left. ";
            case STARTING -> "Try again in a moment. ";
            case NOT_AUTHORIZED ->
                "Name another role with --user; or its pg_hba.conf, or an ALTER ROLE ... LOGIN, has to let this one in. ";
            case SqlState.INSUFFICIENT_PRIVILEGE -> "Somebody has to GRANT CONNECT ON DATABASE to this role. ";
            default -> "";
        };
    }

    // ---- words ------------------------------------------------------------------------------------------------------

    /** What the server or the network says, on one line and without a full stop. */
    static String reason(SQLException failure) {
        ServerErrorMessage told = failure instanceof PSQLException psql ? psql.getServerErrorMessage() : null;
        String text = told == null
                ? network(failure).orElseGet(() -> line(failure))
                : line(new Exception(told.getMessage())) + part(told.getDetail()) + part(told.getHint());
        return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
    }

    private static String part(@Nullable String text) {
        return text == null ? "" : ". " + line(new Exception(text)).replaceAll("\\.$", "");
    }

    private static Optional<String> network(Throwable failure) {
        Optional<String> itsOwnWords = Optional.empty();
        for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
            if (cause instanceof ConnectException
                    && String.valueOf(cause.getMessage()).contains("refused")) {
                return Optional.of("nobody listens there (connection refused)");
            }
            if (cause instanceof SocketException
                    && String.valueOf(cause.getMessage()).contains("No such file")) {
                return Optional.of("there is no such socket");
            }
            if (cause instanceof UnknownHostException) {
                return Optional.of("there is no host of that name");
            }
            if (cause instanceof SocketTimeoutException) {
                return Optional.of("no answer (PGCONNECT_TIMEOUT says how many seconds to wait for it)");
            }
            if (cause instanceof IOException && cause.getMessage() != null) {
                itsOwnWords = Optional.of(line(cause));
            }
        }
        return itsOwnWords;
    }

    private static String capital(String text) {
        return text.isEmpty() ? text : Character.toUpperCase(text.charAt(0)) + text.substring(1);
    }
}
