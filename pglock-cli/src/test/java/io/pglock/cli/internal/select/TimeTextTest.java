// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TimeTextTest {

    @Test
    void readsDurationsAsPeopleWriteThem() {
        Map.ofEntries(
                        Map.entry("30s", "PT30S"),
                        Map.entry("500ms", "PT0.5S"),
                        Map.entry("1m30s", "PT1M30S"),
                        Map.entry("1 minute 30 seconds", "PT1M30S"),
                        Map.entry("1 Minute, 30 Seconds", "PT1M30S"),
                        Map.entry("1.5h", "PT1H30M"),
                        Map.entry("2 days", "PT48H"),
                        Map.entry("1 week", "PT168H"),
                        Map.entry("00:00:30", "PT30S"),
                        Map.entry("01:30", "PT1H30M"),
                        Map.entry("21:03:53.25", "PT21H3M53.25S"),
                        Map.entry("1 day 02:00:00", "PT26H"),
                        Map.entry("2 days, 2:00:00", "PT50H"),
                        Map.entry("PT1M30S", "PT1M30S"),
                        Map.entry(" p1dt2h ", "PT26H"),
                        Map.entry("250 microseconds", "PT0.00025S"))
                .forEach((text, iso) ->
                        assertThat(TimeText.duration(text)).as(text).isEqualTo(Duration.parse(iso)));
    }

    @Test
    void refusesWhatIsNone() {
        for (String text :
                new String[] {"", "5", "5.5", "soon", "5 parsecs", "5s soon", "s", "-5s", "1:2:3:4", "00:99", "PT"}) {
            assertThatIllegalArgumentException()
                    .as(text)
                    .isThrownBy(() -> TimeText.duration(text))
                    .withMessageContaining("write ");
        }
    }

    @Test
    void readsPointsInTime() {
        Instant exact = Instant.parse("2026-03-01T10:30:00Z");
        assertThat(TimeText.instant("2026-03-01T10:30:00Z")).isEqualTo(exact);
        assertThat(TimeText.instant("2026-03-01 12:30:00+02:00")).isEqualTo(exact);
        assertThat(TimeText.instant("2026-03-01 12:30+02")).isEqualTo(exact);
        ZoneId here = ZoneId.systemDefault();
        assertThat(TimeText.instant("2026-03-01 10:30"))
                .isEqualTo(LocalDateTime.parse("2026-03-01T10:30").atZone(here).toInstant());
        assertThat(TimeText.instant("2026-03-01"))
                .isEqualTo(LocalDateTime.parse("2026-03-01T00:00").atZone(here).toInstant());
        assertThat(TimeText.instant("10:30")).isBefore(Instant.now().plus(Duration.ofDays(2)));
        for (String text : new String[] {"", "yesterday", "2026-13-01", "25:00"}) {
            assertThatIllegalArgumentException().as(text).isThrownBy(() -> TimeText.instant(text));
        }
    }
}
