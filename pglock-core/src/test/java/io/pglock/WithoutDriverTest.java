// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URL;
import java.net.URLClassLoader;
import java.sql.Connection;
import java.util.HashMap;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Settings, keys and modes are read where there is no driver: by an agent, before the application has loaded its own. */
class WithoutDriverTest {

    private final URLClassLoader alone = new URLClassLoader(
            new URL[] {LockPolicy.class.getProtectionDomain().getCodeSource().getLocation()},
            ClassLoader.getPlatformClassLoader());

    @AfterEach
    void close() throws IOException {
        alone.close();
    }

    private Object call(String type, String method, Class<?> parameter, Object argument) throws Throwable {
        try {
            return alone.loadClass(type).getMethod(method, parameter).invoke(null, argument);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private String parsed(Map<String, String> settings) throws Throwable {
        return call("io.pglock.LockPolicy", "parse", Map.class, settings).toString();
    }

    @Test
    void thereIsNoDriver() {
        assertThatThrownBy(() -> alone.loadClass("org.postgresql.Driver")).isInstanceOf(ClassNotFoundException.class);
    }

    @Test
    void readsEverySetting() throws Throwable {
        Map<String, String> settings = new HashMap<>();
        LockPolicy.keys().forEach(key -> settings.put(key, "none"));
        settings.putAll(Map.ofEntries(
                Map.entry("enabled", "false"),
                Map.entry("retryDelay", "1s"),
                Map.entry("retryMaxDelay", "1m"),
                Map.entry("prioritize", "terminate"),
                Map.entry("prioritizeAfter", "2s"),
                Map.entry("prioritizeGrace", "3s"),
                Map.entry("pollInterval", "10ms"),
                Map.entry("monitorUrl", "jdbc:postgresql://db:5432/shop?ssl=true"),
                Map.entry("monitorUser", "watcher"),
                Map.entry("monitorPassword", "secret"),
                Map.entry("monitorRequired", "true")));

        assertThat(parsed(settings))
                .isEqualTo(LockPolicy.parse(settings).toString())
                .contains("monitorUrl=jdbc:postgresql://db:5432/shop, ")
                .doesNotContain("secret");
    }

    @Test
    void stillChecksWhatItCan() {
        assertThatThrownBy(() -> parsed(Map.of("monitorUrl", "jdbc:mysql://db/shop")))
                .hasMessageStartingWith("pglock: monitorUrl: is not a JDBC URL of PostgreSQL");
        assertThatThrownBy(() -> parsed(Map.of("monitorUrl", "jdbc:postgresql://db:54x2/shop")))
                .hasMessageStartingWith("pglock: monitorUrl: is not a JDBC URL of PostgreSQL");
        assertThatThrownBy(() -> parsed(Map.of("lockTimeot", "1s"))).hasMessageContaining("Did you mean lockTimeout?");
    }

    /** What is missing is said, and not that something else is wrong with it. */
    @Test
    void saysWhatIsMissingWhereAClientIsMade() {
        DataSource ofAnotherDriver = new HandingOut(() -> (Connection) Proxy.newProxyInstance(
                WithoutDriverTest.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                (connection, method, arguments) -> method.getReturnType() == boolean.class ? false : null));

        assertThatThrownBy(() -> call("io.pglock.LockClient", "create", DataSource.class, ofAnotherDriver))
                .isInstanceOf(NoClassDefFoundError.class)
                .hasMessageContaining("org/postgresql/");
    }

    @Test
    void knowsKeysAndModes() throws Throwable {
        assertThat(call("io.pglock.LockKey", "named", String.class, "nightly-report"))
                .hasToString(LockKey.named("nightly-report").toString());
        Object mode = call("io.pglock.LockMode", "valueOf", String.class, "SHARE_ROW_EXCLUSIVE");
        assertThat(mode.getClass().getMethod("sql").invoke(mode)).isEqualTo("SHARE ROW EXCLUSIVE");
    }
}
