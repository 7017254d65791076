// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScopeEventTest {

    private static final Spec SPEC =
            Spec.parse(Map.of("advisory", "nightly", "monitorUrl", "jdbc:postgresql:x", "monitorPassword", "hush"));

    @Test
    void isOneObjectWhereNothingIsRecorded() {
        ScopeEvent event = ScopeEvent.beginning();
        event.ended("com.acme.Job#run()", SPEC, 1, "returned", Duration.ZERO);

        assertThat(ScopeEvent.beginning()).isSameAs(event);
        assertThat(event.method).isNull();
    }

    @Test
    void isRecorded(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("scopes.jfr");
        ScopeEvent before = ScopeEvent.beginning();
        try (Recording recording = new Recording()) {
            recording.enable(ScopeEvent.class);
            recording.start();
            before.ended("com.acme.Before#run()", SPEC, 1, "returned", Duration.ZERO);
            ScopeEvent.beginning().ended("com.acme.Job#run()", SPEC, 4711, "skipped", Duration.ofMillis(20));
            recording.stop();
            recording.dump(file);
        }

        List<RecordedEvent> events = RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().equals("io.pglock.agent.Scope"))
                .toList();
        assertThat(events).hasSize(1);
        RecordedEvent event = events.get(0);
        assertThat(event.getString("method")).isEqualTo("com.acme.Job#run()");
        assertThat(event.getString("what")).contains("advisory=nightly").doesNotContain("hush");
        assertThat(event.getInt("pid")).isEqualTo(4711);
        assertThat(event.getString("outcome")).isEqualTo("skipped");
        assertThat(event.getDuration("waited")).isEqualTo(Duration.ofMillis(20));
    }
}
