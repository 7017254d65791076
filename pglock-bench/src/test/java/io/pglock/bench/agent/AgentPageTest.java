// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.bench.Rounds;
import io.pglock.bench.Settings;
import io.pglock.bench.agent.AgentCalls.Call;
import io.pglock.bench.agent.AgentStatements.Case;
import io.pglock.bench.agent.AgentStatements.Figures;
import io.pglock.bench.agent.AgentStatements.Jvm;
import io.pglock.bench.agent.AgentStatements.Key;
import io.pglock.bench.agent.StartUp.Contender;
import io.pglock.bench.agent.StartUp.Program;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AgentPageTest {

    private static final Settings SETTINGS = new Settings(Duration.ofSeconds(1), 3, Path.of("."), "");

    @Test
    void aHookThatCostsLessThanItMayMeetsItsBudget() {
        assertThat(page(1.5, 250, Rounds.of(0.99, 1.01, 1.02)))
                .contains("<= 3 ns more: 1.00, met", "<= 1,000 ns: 250.0, met", "not measurable: met");
    }

    @Test
    void whatCostsMoreHasMissedIt() {
        assertThat(page(5, 1_250, Rounds.of(1.06, 1.08, 1.07)))
                .contains(
                        "<= 3 ns more: 4.50, **missed**",
                        "<= 1,000 ns: 1250.0, **missed**",
                        "**missed**, at least 6.00 %, where JVMs differ by 3.09 %");
    }

    @Test
    void aStartIsComparedRoundByRound() {
        assertThat(page(1, 1, Rounds.of(1)))
                .contains("| hello | no agent | 200 | 100 |  | 1.00 | 450 |")
                .contains("| hello | pglock | 260 | 150 | 50.0 | 1.30 | 900 |");
    }

    @Test
    void theChartShowsTheStarts() {
        assertThat(AgentPage.chart(results(1, 1, Rounds.of(1)))).asString().contains("hello: CPU time", "260 ms");
    }

    private static String page(double hook, double scope, Rounds ratios) {
        return AgentPage.of(results(hook, scope, ratios), List.of(), SETTINGS).toString();
    }

    private static Agent.Results results(double hook, double scope, Rounds ratios) {
        Map<Call, Rounds> calls = new LinkedHashMap<>();
        calls.put(Call.PLAIN_EXECUTE, Rounds.of(0.5));
        calls.put(Call.WOVEN_EXECUTE, Rounds.of(hook));
        calls.put(Call.PLAIN_METHOD, Rounds.of(0.5));
        calls.put(Call.GUARDED_METHOD, Rounds.of(scope));
        Map<Key, Figures> statements = new LinkedHashMap<>();
        statements.put(new Key(Jvm.WITHOUT_TOO, Case.STATEMENT), figures(Rounds.of(0.97, 1.02, 1.03)));
        statements.put(new Key(Jvm.WITH, Case.STATEMENT), figures(ratios));
        var hello = new Program("hello", List.of(), "hello");
        Map<StartUp.Key, StartUp.Figures> starts = new LinkedHashMap<>();
        starts.put(new StartUp.Key(hello, Agent.NONE), new StartUp.Figures(Rounds.of(200, 100, 210), 450));
        starts.put(
                new StartUp.Key(hello, new Contender("pglock", List.of())),
                new StartUp.Figures(Rounds.of(260, 150, 260), 900));
        return new Agent.Results(calls, statements, starts, 5 << 20);
    }

    private static Figures figures(Rounds ratios) {
        return new Figures(Rounds.of(30), ratios, ratios, 1);
    }
}
