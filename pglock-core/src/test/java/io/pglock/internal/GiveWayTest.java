// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class GiveWayTest {

    private static final Duration SECOND = Duration.ofSeconds(1);

    private static Duration millis(long millis) {
        return Duration.ofMillis(millis);
    }

    private static GiveWay rule(Duration lockTimeout) {
        return new GiveWay(Optional.of(millis(200)), Optional.of(3), Optional.of(lockTimeout));
    }

    @Test
    void isDueForALongWaitOrForMany() {
        assertThat(rule(SECOND).isDue(1, millis(199))).isFalse();
        assertThat(rule(SECOND).isDue(1, millis(200))).isTrue();
        assertThat(rule(SECOND).isDue(3, millis(0))).isFalse();
        assertThat(rule(SECOND).isDue(4, millis(0))).isTrue();
        GiveWay atOnce = new GiveWay(Optional.of(Duration.ZERO), Optional.empty(), Optional.empty());
        assertThat(atOnce.isDue(0, Duration.ZERO)).as("nobody is there").isFalse();
        assertThat(atOnce.isDue(1, Duration.ZERO)).isTrue();
    }

    @Test
    void isPutOffOnlyWhereTheWaitGetsPastAnAutovacuum() {
        assertThat(rule(SECOND).outlasts(SECOND, millis(500))).isFalse();
        assertThat(rule(millis(1001)).outlasts(SECOND, millis(500))).isTrue();
        assertThat(rule(millis(9000)).outlasts(SECOND, millis(1499))).isTrue();
        assertThat(rule(millis(9000)).outlasts(SECOND, millis(1500))).isFalse();
        assertThat(new GiveWay(Optional.empty(), Optional.empty(), Optional.empty()).outlasts(SECOND, millis(500)))
                .isTrue();
    }

    private static long at(long millis) {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }

    @Test
    void whereTheServerDoesNotTellTheyHaveWaitedSinceTheyWereSeen() {
        Victims.Tally tally = new Victims.Tally();
        Victims victims = new Victims(tally);
        assertThat(victims.saw(List.of(1), Optional.empty(), millis(900), at(0)))
                .isZero();
        assertThat(victims.saw(List.of(1, 2), Optional.empty(), millis(1000), at(100)))
                .isEqualTo(millis(100));
        assertThat(victims.saw(List.of(2), Optional.empty(), millis(1100), at(200)))
                .isEqualTo(millis(100));
        assertThat(victims.saw(List.of(2), Optional.empty(), millis(50), at(300)))
                .as("nobody waits behind a wait for longer than that lasts")
                .isEqualTo(millis(50));
        assertThat(tally.summary()).isEqualTo(new Victims.Summary(2, 2, millis(100)));
    }

    @Test
    void theNextAttemptCountsAnew() {
        Victims victims = new Victims(new Victims.Tally());
        victims.saw(List.of(1), Optional.empty(), millis(0), at(0));
        victims.forget();
        assertThat(victims.saw(List.of(1), Optional.empty(), millis(9000), at(5000)))
                .isZero();
    }
}
