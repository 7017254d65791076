// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.ForkedJvm;
import java.io.File;
import java.nio.file.Path;
import net.bytebuddy.ByteBuddy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A driver that is not understood is told, and does what it does without the agent. */
class UnsupportedDriverTest {

    private static final String EXECUTOR = "org.postgresql.core.v3.QueryExecutorImpl";

    /** An application that loads its driver. */
    static final class Application {
        public static void main(String... arguments) throws ReflectiveOperationException {
            System.out.println("loaded: "
                    + Class.forName(EXECUTOR)
                            .getDeclaredConstructor()
                            .newInstance()
                            .getClass()
                            .getName());
        }
    }

    @Test
    void isToldAndWorksAsIfThereWereNoAgent(@TempDir Path classes) throws Exception {
        new ByteBuddy().subclass(Object.class).name(EXECUTOR).make().saveIn(classes.toFile());
        ForkedJvm.Launch launch = AgentJvm.with("", Application.class);
        try (ForkedJvm application = launch.classPath(classes + File.pathSeparator + launch.classPath())
                .start()) {
            application.awaitLine("loaded: " + EXECUTOR);

            assertThat(application.exitCode()).isZero();
            assertThat(application.output())
                    .filteredOn(line -> line.contains("[pglock] WARN"))
                    .singleElement()
                    .asString()
                    .contains(EXECUTOR + " cannot be woven, so what uses it is not protected")
                    .contains("has no execute(org.postgresql.core.Query, ...): this driver is not understood");
        }
    }
}
