// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.value;

import io.pglock.annotation.WithLockTimeout;
import java.sql.Connection;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;

/** An application whose connection goes to another thread at the very moment when the method ends that has used it. */
final class HandedOn {

    private static final int TIMES = 1_000;

    private HandedOn() {}

    public static void main(String... arguments) throws Exception {
        Readings readings = Readings.of(arguments);
        readings.reading("handed on", () -> handedOn(readings));
        readings.line("armed", Readings.armed());
    }

    @WithLockTimeout(value = "20001ms", statementTimeout = "20002ms")
    private static void within(Readings.Work work) throws Exception {
        work.run();
    }

    private static void handedOn(Readings readings) throws Exception {
        Connection connection = readings.connect(); // not to be closed by a thread that would hang in there
        CyclicBarrier turn = new CyclicBarrier(2);
        CompletableFuture<String> methods = Readings.elsewhere(() -> {
            for (int i = 0; i < TIMES; i++) {
                within(() -> {
                    used(connection);
                    turn.await(20, TimeUnit.SECONDS);
                });
                turn.await(20, TimeUnit.SECONDS);
            }
            return "";
        });
        CompletableFuture<String> others = Readings.elsewhere(() -> {
            for (int i = 0; i < TIMES; i++) {
                turn.await(20, TimeUnit.SECONDS);
                used(connection);
                turn.await(20, TimeUnit.SECONDS);
            }
            return "";
        });
        CompletableFuture.allOf(methods, others).get(50, TimeUnit.SECONDS);
        connection.close();
        readings.line("handed on", TIMES, "times");
    }

    private static void used(Connection connection) throws Exception {
        for (int times = 0; times < 3; times++) {
            value(connection, "select 1 from pg_class limit 1");
        }
    }
}
