// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.bench.Rounds;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CommandPageTest {

    @Test
    void comparesWithThePeerTurnByTurnAndSaysWhetherTheBudgetIsMet() {
        Map<Command.Contender, Rounds> millis = new EnumMap<>(Command.Contender.class);
        for (Command.Contender contender : Command.Contender.values()) {
            millis.put(contender, Rounds.of(100, 200, 400));
        }
        millis.put(Command.Contender.LS, Rounds.of(160, 320, 640));
        assertThat(CommandPage.of(millis, List.of(), "Django 5").toString())
                .contains("| `pglock ls` | 320 | 160 | 640 | 1.60 | <= 1.5 x: 1.60, **missed** |", "Django 5");
        assertThat(CommandPage.chart(millis).toString()).contains("320 ms", "pglock ls");
    }
}
