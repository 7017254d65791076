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

    private static boolean isDue(int victims, long lost, long nextLook, long ahead) {
        return rule(SECOND).isDue(victims, millis(lost), millis(nextLook), millis(ahead));
    }

    @Test
    void isDueForALongWaitOrForMany() {
        assertThat(isDue(1, 199, 0, 0)).isFalse();
        assertThat(isDue(1, 200, 0, 0)).isTrue();
        assertThat(isDue(3, 0, 0, 0)).isFalse();
        assertThat(isDue(4, 0, 0, 0)).isTrue();
        GiveWay atOnce = new GiveWay(Optional.of(Duration.ZERO), Optional.empty(), Optional.empty());
        assertThat(atOnce.isDue(0, Duration.ZERO, Duration.ZERO, SECOND))
                .as("nobody is there")
                .isFalse();
        assertThat(atOnce.isDue(1, Duration.ZERO, Duration.ZERO, Duration.ZERO)).isTrue();
    }

    @Test
    void isDueWhereTheNextLookWouldBeTooLate() {
        assertThat(isDue(1, 149, 50, 0)).isFalse();
        assertThat(isDue(1, 150, 50, 0)).isTrue();
    }

    @Test
    void isDueAtOnceBehindSomebodyWhoHasBeenAtItForLong() {
        assertThat(isDue(1, 0, 50, 199)).isFalse();
        assertThat(isDue(1, 0, 50, 200)).isTrue();
        assertThat(isDue(0, 0, 50, 9000)).as("nobody is there").isFalse();
        GiveWay forMany = new GiveWay(Optional.empty(), Optional.of(3), Optional.empty());
        assertThat(forMany.isDue(3, SECOND, SECOND, SECOND)).isFalse();
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
    void whatTheyHaveLostToAnEarlierAttemptCountsAndIsSlowlyForgotten() {
        Victims victims = new Victims(new Victims.Tally());
        victims.saw(List.of(1), Optional.of(millis(100)), millis(100), at(0));
        victims.gone();
        assertThat(victims.lostBefore(at(500)))
                .as("a fiftieth of the time between is forgotten")
                .isEqualTo(millis(90));
        victims.saw(List.of(2), Optional.of(millis(30)), millis(30), at(500));
        victims.gone();
        assertThat(victims.lostBefore(at(500))).isEqualTo(millis(120));
        assertThat(victims.lostBefore(at(500 + 6000))).isZero();
    }

    @Test
    void theNextAttemptCountsAnewWhoIsThere() {
        Victims victims = new Victims(new Victims.Tally());
        victims.saw(List.of(1), Optional.empty(), millis(0), at(0));
        victims.gone();
        assertThat(victims.saw(List.of(1), Optional.empty(), millis(9000), at(5000)))
                .isZero();
    }
}
