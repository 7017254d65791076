// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class VictimsTest {

    private static final Duration LONG = Duration.ofMillis(300);
    private static final Duration SHORT = Duration.ofMillis(50);

    @Test
    void eachAttemptHasItsOwnAndTheUnitHasAll() {
        Victims.Tally tally = new Victims.Tally();
        Victims victims = new Victims(tally);
        victims.saw(List.of(1, 2, 3), Optional.of(LONG), LONG, 0);
        assertThat(victims.ofThisAttempt()).isEqualTo(new Victims.Summary(3, 3, LONG));
        victims.gone();
        victims.saw(List.of(4), Optional.of(SHORT), SHORT, LONG.toNanos());
        assertThat(victims.ofThisAttempt()).isEqualTo(new Victims.Summary(1, 1, SHORT));
        assertThat(tally.summary()).isEqualTo(new Victims.Summary(4, 3, LONG));
    }
}
