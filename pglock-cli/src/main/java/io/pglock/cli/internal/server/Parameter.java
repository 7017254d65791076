// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.server;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import org.postgresql.PGProperty;

/** What libpq's connection strings, environment and service files can say of a connection, and what pgjdbc calls it. */
enum Parameter {
    HOST("PGHOST"),
    HOSTADDR("PGHOSTADDR"),
    PORT("PGPORT"),
    DBNAME("PGDATABASE"),
    USER("PGUSER"),
    PASSWORD("PGPASSWORD"),
    PASSFILE("PGPASSFILE"),
    SERVICE("PGSERVICE"),
    CONNECT_TIMEOUT("PGCONNECT_TIMEOUT"),
    TARGET_SESSION_ATTRS("PGTARGETSESSIONATTRS"),
    APPLICATION_NAME("PGAPPNAME", PGProperty.APPLICATION_NAME),
    OPTIONS("PGOPTIONS", PGProperty.OPTIONS),
    SSLMODE("PGSSLMODE", PGProperty.SSL_MODE),
    SSLROOTCERT("PGSSLROOTCERT", PGProperty.SSL_ROOT_CERT),
    SSLCERT("PGSSLCERT", PGProperty.SSL_CERT),
    SSLKEY("PGSSLKEY", PGProperty.SSL_KEY),
    SSLPASSWORD("", PGProperty.SSL_PASSWORD),
    GSSENCMODE("PGGSSENCMODE", PGProperty.GSS_ENC_MODE),
    KRBSRVNAME("PGKRBSRVNAME", PGProperty.KERBEROS_SERVER_NAME),
    CHANNEL_BINDING("PGCHANNELBINDING", PGProperty.CHANNEL_BINDING),
    // libpq's own affairs, or what pgjdbc decides by itself
    CLIENT_ENCODING(""),
    FALLBACK_APPLICATION_NAME(""),
    KEEPALIVES(""),
    KEEPALIVES_IDLE(""),
    KEEPALIVES_INTERVAL(""),
    KEEPALIVES_COUNT(""),
    TCP_USER_TIMEOUT("");

    private final String variable;
    private final Optional<PGProperty> property;

    Parameter(String variable) {
        this.variable = variable;
        this.property = Optional.empty();
    }

    Parameter(String variable, PGProperty property) {
        this.variable = variable;
        this.property = Optional.of(property);
    }

    /** The environment variable; empty where there is none. */
    String variable() {
        return variable;
    }

    /** What it is handed to the driver as, where the driver takes it as it is. */
    Optional<PGProperty> property() {
        return property;
    }

    /** {@code connect_timeout}, or pgjdbc's name for the same, in a JDBC URL: {@code ApplicationName}. */
    static Optional<Parameter> named(String name) {
        return Arrays.stream(values())
                .filter(each -> each.toString().equals(name)
                        || each.property
                                .map(PGProperty::getName)
                                .filter(name::equals)
                                .isPresent())
                .findFirst();
    }

    /** As libpq spells it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
