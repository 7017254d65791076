// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.tuple;

import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What Flight Recorder shows of a client. */
@PostgresTest
@Timeout(60)
class LockEventsTest {

    private static final LockKey KEY = LockKey.of(1);

    private List<RecordedEvent> events = List.of();

    private List<RecordedEvent> named(String name) {
        return events.stream()
                .filter(event -> event.getEventType().getName().equals(name))
                .toList();
    }

    @Test
    void areWrittenForRequestsHoldsAndRoundTrips(DataSource dataSource, Scenario scenario, @TempDir Path directory)
            throws Exception {
        scenario.session("web").execute("select pg_advisory_lock(2)");
        try (Recording recording = new Recording()) {
            recording.enable("pglock.Acquire").withoutThreshold();
            recording.enable("pglock.Hold").withoutThreshold();
            recording.enable("pglock.RoundTrip").withoutThreshold();
            recording.start();
            try (LockClient client =
                    LockClient.create(dataSource, LockClient.Options.defaults().name("shop"))) {
                client.advisory("report").shared().acquire().close();
                assertThat(client.advisory(LockKey.of(2)).tryAcquire(Duration.ofMillis(60)))
                        .isEmpty();
                LockHandle lost = client.acquireAll(KEY, LockKey.of(3));
                ClientSession.of(scenario, "shop").terminate();
                scenario.await("the loss to be noticed", () -> !lost.isHeld());
                assertThatExceptionOfType(LockLostException.class).isThrownBy(lost::close);
            }
            recording.stop();
            events = read(recording, directory);
        }

        LockKey report = LockKey.named("report");
        assertThat(named("pglock.Acquire"))
                .extracting(
                        event -> event.getString("key"),
                        event -> event.getBoolean("shared"),
                        event -> event.getBoolean("acquired"))
                .containsExactlyInAnyOrder(
                        tuple(report + ", shared", true, true),
                        tuple("2", false, false),
                        tuple("1 and 3", false, true));
        assertThat(named("pglock.Acquire"))
                .filteredOn(event -> !event.getBoolean("acquired"))
                .singleElement()
                .satisfies(event -> {
                    assertThat(event.getDuration()).isGreaterThanOrEqualTo(Duration.ofMillis(60));
                    assertThat(event.getThread().getJavaName())
                            .isEqualTo(Thread.currentThread().getName());
                });
        assertThat(named("pglock.Hold"))
                .extracting(
                        event -> event.getString("key"),
                        event -> event.getBoolean("shared"),
                        event -> event.getBoolean("lost"))
                .containsExactlyInAnyOrder(tuple("[" + report + "]", true, false), tuple("[1, 3]", false, true));
        assertThat(named("pglock.RoundTrip"))
                .hasSizeGreaterThan(3)
                .allSatisfy(event -> assertThat(event.getThread().getJavaName()).matches("pglock-\\d+"))
                .anySatisfy(event -> assertThat(event.getInt("operations")).isPositive());
    }

    private static List<RecordedEvent> read(Recording recording, Path directory) throws IOException {
        Path file = directory.resolve("events.jfr");
        recording.dump(file);
        return RecordingFile.readAllEvents(file);
    }
}
