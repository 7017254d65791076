// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import java.sql.Driver;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import javax.sql.DataSource;
import liquibase.database.jvm.JdbcConnection;
import liquibase.exception.DatabaseException;

/**
 * Liquibase's connection, which remembers what it was opened with, so that pglock can open another one beside it. As
 * thread-safe as the one it extends. Not API.
 */
public final class PgLockConnection extends JdbcConnection {

    /** Higher than Liquibase's own, lower than Liquibase Pro's (101), and none that anybody else is known to have. */
    private static final int PRIORITY = 73;

    private Optional<DataSource> opened = Optional.empty();

    /** As Liquibase needs it. */
    public PgLockConnection() {}

    @Override
    public int getPriority() {
        return PRIORITY;
    }

    @Override
    public boolean supports(String url) {
        return url.toLowerCase(Locale.ROOT).startsWith("jdbc:postgresql:");
    }

    @Override
    public void open(String url, Driver driver, Properties properties) throws DatabaseException {
        Properties copy = new Properties();
        copy.putAll(properties);
        super.open(url, driver, properties);
        opened = Optional.of(new AsOpened(() -> driver.connect(url, copy)));
    }

    /** Opens more of the same. */
    Optional<DataSource> opened() {
        return opened;
    }
}
