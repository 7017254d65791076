// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.URL;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Enumeration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many jars made one, and of the files in {@code META-INF/services} the last one left: Flyway does not find pglock. */
@PostgresTest
class WithoutDiscoveryTest {

    @Test
    void theBeanAloneHasTheApplicationsSettings(Database database, Scenario scenario, @TempDir Path migrations)
            throws Exception {
        Shop.writeMigrations(migrations);
        try (var oneJar = new OneJar();
                var context = oneJar.start(Shop.arguments(database, migrations, "--pglock.lock-timeout=3s"))) {
            Object flyway = call(call(context, "getBean", "flyway"), "getConfiguration");
            assertThat((Object[]) call(flyway, "getCallbacks"))
                    .as("the bean, and nothing that was discovered")
                    .singleElement()
                    .matches(callback -> Proxy.isProxyClass(callback.getClass()));
        }

        Shop.assertThatAMigrationSaw(scenario, "public", "3s");
    }

    /** The application's classes are not those of the test. */
    private static Object call(Object object, String method, Object... arguments) throws ReflectiveOperationException {
        Class<?>[] types = Arrays.stream(arguments).map(Object::getClass).toArray(Class<?>[]::new);
        return object.getClass().getMethod(method, types).invoke(object, arguments);
    }

    private static final class OneJar extends ClassPath {

        OneJar() {
            super(element -> true);
        }

        @Override
        public Enumeration<URL> getResources(String name) throws IOException {
            Enumeration<URL> found = super.getResources(name);
            return name.equals("META-INF/services/org.flywaydb.core.extensibility.Plugin")
                    ? Collections.enumeration(Collections.list(found).stream()
                            .filter(url -> !url.getPath().contains("pglock-flyway"))
                            .toList())
                    : found;
        }
    }
}
