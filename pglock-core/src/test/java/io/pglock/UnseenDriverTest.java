// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.PostgresTest;
import java.lang.reflect.Proxy;
import java.net.URL;
import java.net.URLClassLoader;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.logging.Level;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.postgresql.Driver;

/** pglock in a class loader that has no driver, or another one than the application. */
@PostgresTest
class UnseenDriverTest {

    private final Connection mine;
    private final RecordedLog log = new RecordedLog();

    UnseenDriverTest(Connection mine) {
        this.mine = mine;
    }

    @AfterEach
    void listenNoMore() {
        log.close();
    }

    @Test
    void leavesPostgresAloneWithOneWarningWhereThereIsNoDriver() throws Exception {
        leavesPostgresAloneWithOneWarning(pglockBeside());
    }

    @Test
    void leavesPostgresAloneWithOneWarningWhereTheDriverIsAnotherCopy() throws Exception {
        leavesPostgresAloneWithOneWarning(pglockBeside(Driver.class));
    }

    private void leavesPostgresAloneWithOneWarning(URLClassLoader pglock) throws Exception {
        try (pglock) {
            assertThat(serves(pglock, mine)).isFalse();
            assertThat(serves(pglock, mine)).isFalse();
        }

        assertThat(log.records()).singleElement().satisfies(warning -> {
            assertThat(warning.getLevel()).isEqualTo(Level.WARNING);
            assertThat(warning.getMessage())
                    .isEqualTo(
                            "pglock does nothing on this PostgreSQL, because it cannot see org.postgresql's driver behind "
                                    + mine.getClass().getName()
                                    + ". Let one class loader load both pglock and the driver, and let what wraps connections"
                                    + " unwrap them.");
        });
    }

    @Test
    void saysNothingOfAnotherDatabase() throws Exception {
        try (URLClassLoader pglock = pglockBeside();
                Connection h2 = DriverManager.getConnection("jdbc:h2:mem:unseen")) {
            assertThat(serves(pglock, h2)).isFalse();
            assertThat(LockGuard.serves(h2)).isFalse();
        }

        assertThat(log.records()).isEmpty();
    }

    /** A driver that was compiled before there was a {@code java.sql.Wrapper}. */
    @Test
    void leavesADriverAloneThatKnowsNoWrappers() {
        Connection ancient = (Connection) Proxy.newProxyInstance(
                UnseenDriverTest.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                (connection, method, arguments) -> switch (method.getName()) {
                    case "isClosed" -> false;
                    case "getMetaData" -> throw new SQLException("none of that either");
                    default -> throw new AbstractMethodError(method.getName());
                });

        assertThat(LockGuard.serves(ancient)).isFalse();
        assertThat(log.records()).isEmpty();
    }

    /** Core alone, and the jars of these. */
    private static URLClassLoader pglockBeside(Class<?>... others) {
        URL[] urls = Stream.concat(Stream.of(LockGuard.class), Stream.of(others))
                .map(type -> type.getProtectionDomain().getCodeSource().getLocation())
                .toArray(URL[]::new);
        return new URLClassLoader(urls, ClassLoader.getPlatformClassLoader());
    }

    private static boolean serves(ClassLoader pglock, Connection connection) throws Exception {
        return (boolean) pglock.loadClass(LockGuard.class.getName())
                .getMethod("serves", Connection.class)
                .invoke(null, connection);
    }
}
