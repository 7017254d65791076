// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.agent.internal.AgentLog.Threshold;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AgentLogTest {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private AgentLog log(Threshold threshold) {
        return new AgentLog(threshold, new PrintStream(bytes, true, StandardCharsets.UTF_8));
    }

    private String said() {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void saysEachMessageInALineWithTimeAndLevel() {
        AgentLog log = log(Threshold.INFO);

        log.warn("first\n  and more");
        log.error("second");
        log.info("third");

        assertThat(said().lines())
                .satisfiesExactly(
                        first -> assertThat(first)
                                .matches(
                                        "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z \\[pglock] WARN  first and more"),
                        second -> assertThat(second).endsWith("Z [pglock] ERROR second"),
                        third -> assertThat(third).endsWith("Z [pglock] INFO  third"));
    }

    @Test
    void saysNothingBelowItsThreshold() {
        for (Threshold threshold : Threshold.values()) {
            bytes.reset();
            AgentLog log = log(threshold);
            log.error("e");
            log.warn("w");
            log.info("i");
            log.debug("d");

            assertThat(said().lines()).as(threshold.key()).hasSize(threshold.ordinal());
        }
    }

    @Test
    void showsAStackTraceOnlyAtDebug() {
        Exception failure = new IllegalStateException("no\nserver");

        log(Threshold.INFO).warn("Not watched", failure);
        assertThat(said().lines())
                .hasSize(1)
                .first()
                .asString()
                .endsWith("Not watched (java.lang.IllegalStateException: no server)");

        bytes.reset();
        log(Threshold.DEBUG).warn("Not watched", failure);
        assertThat(said()).contains("\tat " + AgentLogTest.class.getName());
    }

    @Test
    void warnsOncePerOccasion() {
        AgentLog log = log(Threshold.WARN);

        assertThat(log.warnOnce("driver 9.4", "old")).isTrue();
        assertThat(log.warnOnce("driver 9.4", "old")).isFalse();
        assertThat(log.warnOnce("driver 42.2", "old too", new RuntimeException("why")))
                .isTrue();

        assertThat(said().lines()).hasSize(2);
    }

    @Test
    void neverThrows() {
        AgentLog log = log(Threshold.DEBUG);
        Exception unspeakable = new Exception() {
            @Override
            public String getMessage() {
                throw new IllegalStateException("not even this");
            }
        };

        log.warn("a", unspeakable);
        log.log(Level.WARNING, "broken {0", "b");
        log.log(Level.INFO, "{0} of {1}", 1, 2);
        log.log(Level.INFO, (String) null);
        log.log(Level.TRACE, "traced");
        new AgentLog(Threshold.INFO, new PrintStream(bytes) {
                    @Override
                    public void print(String line) {
                        throw new IllegalStateException("closed");
                    }
                })
                .warn("c");

        assertThat(said()).contains("broken {0").contains("1 of 2").contains("DEBUG traced");
    }

    @Test
    void linesOfManyThreadsStayWhole() throws Exception {
        AgentLog log = log(Threshold.INFO);
        ExecutorService threads = Executors.newFixedThreadPool(8);
        CountDownLatch start = new CountDownLatch(1);
        IntStream.range(0, 8)
                .forEach(thread -> threads.execute(() -> {
                    try {
                        start.await();
                    } catch (InterruptedException e) {
                        return;
                    }
                    IntStream.range(0, 500).forEach(i -> log.info("x".repeat(100)));
                }));
        start.countDown();
        threads.shutdown();
        assertThat(threads.awaitTermination(30, TimeUnit.SECONDS))
                .as("all have said all")
                .isTrue();

        assertThat(said().lines()).hasSize(4000).allMatch(line -> line.endsWith("INFO  " + "x".repeat(100)));
    }

    @Test
    void writesAFileBehindWhatIsInIt(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("agent.log");
        Files.writeString(file, "before\n");

        AgentLog.to(Threshold.INFO, Optional.of(file)).info("after");

        assertThat(Files.readAllLines(file)).hasSize(2).last().asString().endsWith("INFO  after");
    }

    @Test
    void fallsBackToTheErrorStreamWhereTheFileCannotBeWritten(@TempDir Path folder) {
        AgentLog log = AgentLog.to(Threshold.OFF, Optional.of(folder));

        assertThat(log.getName()).isEqualTo("pglock");
        assertThat(log.isLoggable(Level.ERROR)).isFalse();
        assertThat(folder).isEmptyDirectory();
    }
}
