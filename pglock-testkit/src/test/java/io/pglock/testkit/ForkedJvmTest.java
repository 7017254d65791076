// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

@PostgresTest
@Timeout(60)
@DisabledOnOs(OS.WINDOWS)
class ForkedJvmTest {
    private static final Duration SHORT = Duration.ofMillis(300);

    @Test
    void isAnotherProcessOnTheSameClassPath() {
        try (ForkedJvm jvm = ForkedJvm.running(Echo.class)
                .property("greeting", "good morning")
                .options("-Xmx32m")
                .arguments("a", "b c")
                .start()) {
            assertThat(jvm.awaitLine("process ")).isEqualTo("process " + jvm.pid());
            assertThat(jvm.pid()).isNotEqualTo(ProcessHandle.current().pid());
            jvm.awaitLine("good morning [a, b c]");

            jvm.send("one");
            assertThat(jvm.awaitLine("echo ")).isEqualTo("echo one");
            jvm.send("two");
            assertThat(jvm.awaitLine("echo ")).isEqualTo("echo two");
            assertThat(jvm.isAlive()).isTrue();

            jvm.send("end");
            assertThat(jvm.exitCode()).isZero();
            assertThat(jvm.isAlive()).isFalse();
            assertThat(jvm.output()).endsWith("echo two", "ending");
        }
    }

    @Test
    void saysWhatItWaitedForAndWhatWasPrintedInstead() {
        try (ForkedJvm jvm = ForkedJvm.running(Echo.class).start()) {
            jvm.awaitLine("process ");
            assertThatThrownBy(() -> jvm.awaitLine("locked", SHORT))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("waited 300 ms for a line \"locked...\" of Echo (process " + jvm.pid() + ")")
                    .hasMessageContaining("process " + jvm.pid() + "\n");

            jvm.send("fail");
            assertThatThrownBy(() -> jvm.awaitLine("locked"))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("it has ended")
                    .hasMessageContaining("java.io.IOException: told to");
            assertThat(jvm.exitCode()).isEqualTo(1);
            assertThatThrownBy(jvm::stop)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("SIGSTOP");
        }
    }

    @Test
    void standsStillWhileItIsStopped() {
        try (ForkedJvm jvm = ForkedJvm.running(Echo.class).start()) {
            jvm.awaitLine("process ");
            jvm.stop();

            jvm.send("late");
            assertThatThrownBy(() -> jvm.awaitLine("echo", SHORT)).isInstanceOf(AssertionError.class);
            assertThat(jvm.isAlive()).isTrue();

            jvm.cont();
            jvm.awaitLine("echo late");
        }
    }

    @Test
    void canBeKilledEvenWhenItIsStopped() {
        try (ForkedJvm jvm = ForkedJvm.running(Echo.class).start()) {
            jvm.awaitLine("process ");
            jvm.stop();

            jvm.kill();

            assertThat(jvm.isAlive()).isFalse();
            assertThat(jvm.exitCode()).isEqualTo(137);
        }
    }

    @Test
    void endsWhenItIsClosedAndWhatItHeldIsFree(Database database, Scenario scenario) throws SQLException {
        int pid;
        try (ForkedJvm jvm = ForkedJvm.running(Holder.class).database(database).start();
                Connection connection = database.connect()) {
            pid = Integer.parseInt(jvm.awaitLine("locked ").substring("locked ".length()));
            assertThat(Rows.read(connection, "select pg_try_advisory_lock(7)")).containsExactly("f");
            jvm.close();
            assertThat(jvm.exitCode()).isEqualTo(137);
        }
        scenario.awaitGone(pid);
    }

    /** Prints what it reads. */
    static final class Echo {
        private Echo() {}

        public static void main(String[] arguments) throws IOException {
            System.out.println("process " + ProcessHandle.current().pid());
            System.out.println(System.getProperty("greeting") + " [" + String.join(", ", arguments) + "]");
            var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = input.readLine(); line != null && !line.equals("end"); line = input.readLine()) {
                if (line.equals("fail")) {
                    throw new IOException("told to");
                }
                System.out.println("echo " + line);
            }
            System.out.println("ending");
        }
    }

    /** Holds an advisory lock. */
    static final class Holder {
        private Holder() {}

        public static void main(String[] arguments) throws IOException, SQLException {
            try (Connection connection = DriverManager.getConnection(arguments[0], arguments[1], arguments[2])) {
                Rows.read(connection, "select pg_advisory_lock(7)");
                System.out.println("locked "
                        + Rows.read(connection, "select pg_backend_pid()").get(0));
                System.in.read();
            }
        }
    }
}
