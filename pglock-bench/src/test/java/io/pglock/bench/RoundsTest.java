// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RoundsTest {

    @Test
    void aRatioIsTakenRoundByRound() {
        Rounds fast = Rounds.of(30, 3, 600);
        Rounds slow = Rounds.of(10, 1, 300);

        assertThat(fast.per(slow).values()).containsExactly(3.0, 3.0, 2.0);
        assertThat(fast.per(slow).median()).isEqualTo(3.0);
    }

    @Test
    void theMedianIsAFigureThatWasMeasured() {
        assertThat(Rounds.of(5, 1, 9).median()).isEqualTo(5);
        assertThat(Rounds.of(5, 1, 9, 7).median()).isEqualTo(5);
        assertThat(Rounds.of(4).median()).isEqualTo(4);
        assertThat(Rounds.of(5, 9, 1).greatest()).isEqualTo(9);
    }

    @Test
    void aBudgetSaysWhetherItIsMet() {
        assertThat(Budget.atLeast("%s x pgjdbc", 1.3).verdict(1.3)).isEqualTo(">= 1.3 x pgjdbc: 1.30, met");
        assertThat(Budget.atLeast("%s x pgjdbc", 3).verdict(2.5)).isEqualTo(">= 3 x pgjdbc: 2.50, **missed**");
        assertThat(Budget.atMost("%s ms", 50).verdict(50.1)).isEqualTo("<= 50 ms: 50.1, **missed**");
        assertThat(Budget.atMost("%s ms", 50).verdict(3)).isEqualTo("<= 50 ms: 3.0, met");
    }
}
