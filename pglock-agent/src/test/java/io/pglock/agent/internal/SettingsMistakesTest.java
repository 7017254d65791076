// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.agent.internal.AgentLog.Threshold;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is wrong with the settings, and what is in force all the same. */
class SettingsMistakesTest extends SettingsPlaces {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "lokTimeout=3s;target=a.B#c | there is no setting lokTimeout. Did you mean lockTimeout?",
                "lockTimeout;target=a.B#c | lockTimeout has no value in the agent's arguments; write lockTimeout=...",
                "target=a.B#c;lockTimeout=1s;lockTimeout=2s | lockTimeout stands twice in the agent's arguments",
                "target=a.B#c;target=a.B#c | target a.B#c stands twice in the agent's arguments",
                "target=a.B.c | target a.B.c in the agent's arguments: target=a.B.c: is not a target; write a.B#c",
                "target=a.B#c;lockTimeout=3 | target a.B#c in the agent's arguments: lockTimeout=3: a bare number",
                "lockTimeout=3;target=a.B#c | lockTimeout=3: a bare number has no unit; write 3s or 3ms (in the agent's",
                "log=loud | log=loud: is none of off, error, warn, info, debug (in the agent's arguments)",
                "onError=fal | onError=fal: is none of warn, fail. Did you mean fail?",
                "enabled=no | enabled=no: is neither true nor false (in the agent's arguments)",
                "config=nowhere.toml | config=nowhere.toml: there is no such file (looked for /",
                "excludeClasses=a b | \"a b\" is not the name of a class",
                "logFile=no/such/folder/x.log | its folder does not exist",
                "advisory=nightly | advisory in the agent's arguments: there is no target to which this could apply",
                "lockTimeout=3s | lockTimeout in the agent's arguments: there is no target to which this could apply",
            })
    void saysWhatIsWrongInArguments(String arguments, String complaint) {
        assertThat(arguments(arguments).mistakes()).singleElement().asString().contains(complaint);
    }

    @Test
    void whatIsRightIsStillDone() {
        AgentSettings settings =
                arguments("lockTimeout=3;log=debug;target=a.B#c;prioritize=kill;target=a.D#e;target=a.F.g");

        assertThat(settings.mistakes()).hasSize(3);
        assertThat(settings.log()).isEqualTo(Threshold.DEBUG);
        assertThat(settings.targets())
                .singleElement()
                .extracting(it -> it.pattern().toString())
                .isEqualTo("a.D#e");
        assertThat(policy(settings, 0).lockTimeout()).contains(Duration.ofSeconds(2));
    }

    @Test
    void tellsAMisspeltPropertyAndIgnoresWhatIsNotItsOwn() {
        assertThat(properties(Map.of("pglock.lokTimeout", "3s")).mistakes())
                .singleElement()
                .asString()
                .isEqualTo(
                        "there is no setting pglock.lokTimeout. Did you mean pglock.lockTimeout? (in the system properties)");
        assertThat(properties(Map.of("pglock.targets.a.lokTimeout", "3s")).mistakes())
                .anySatisfy(mistake -> assertThat(mistake).contains("Did you mean lockTimeout?"));
        assertThat(properties(Map.of("pglock.targets.a", "3s")).mistakes())
                .singleElement()
                .asString()
                .contains("targets.a in the system properties names no setting; write targets.a.target");
        assertThat(properties(Map.of(
                                "pglock.test.url", "x",
                                "pglock.signalOwnJvm", "true",
                                "pglock.bench", "true",
                                "pglock.fuzz.seed", "1",
                                "pglock.changelogLock", "session",
                                "pglock.changelog-lock", "session",
                                "pglock.hosts.resolved", "x",
                                "pglock.strict", "true",
                                "pglock.lockTimeout", "3s",
                                "pglock.lock-timeout.of.mine", "x"))
                        .mistakes())
                .isEmpty();
    }

    @Test
    void tellsAMisspeltVariableAndIgnoresWhatIsNotItsOwn() {
        assertThat(environment(Map.of("PGLOCK_LOK_TIMEOUT", "3s")).mistakes())
                .singleElement()
                .asString()
                .isEqualTo(
                        "there is no setting PGLOCK_LOK_TIMEOUT. Did you mean PGLOCK_LOCK_TIMEOUT? (in the environment)");
        assertThat(environment(Map.of("PGLOCK_TARGETS_A_LOK", "3s")).mistakes())
                .singleElement()
                .asString()
                .contains("PGLOCK_TARGETS_A_LOK in the environment names no setting of a target");
        assertThat(environment(Map.of(
                                "PGLOCK_WATCH_SECRET", "x", "PGLOCK_CHANGELOG_LOCK", "session", "PGLOCK_TEST_URL", "x"))
                        .mistakes())
                .isEmpty();
    }

    @Test
    void whoSwitchesItOffWantsItOff() {
        AgentSettings settings = arguments("enabled=false;target=nonsense;lokTimeout=1");

        assertThat(settings.enabled()).isFalse();
        assertThat(settings.mistakes()).isEmpty();
        assertThat(settings.targets()).isEmpty();
    }

    @Test
    void aTargetMayBeSwitchedOffAlone() {
        AgentSettings settings = arguments("target=a.B#c;enabled=false");

        assertThat(settings.enabled()).isTrue();
        assertThat(policy(settings, 0).enabled()).isFalse();
    }

    @Test
    void neverShowsAPassword() throws IOException {
        AgentSettings settings = arguments("monitorUrl=jdbc:postgresql://db/shop?password=hush1;monitorUser=me;"
                + "monitorPassword=hush2;hush3;lokTimeout=1;target=a.B#c;target=a.D.e;monitorPassword=hush4");
        write("agent.toml", "[agent]", "monitorPassword = hush5");
        write("agent.properties", "monitorPassword=\\u00zzhush6");

        assertThat(settings.mistakes())
                .anySatisfy(mistake -> assertThat(mistake)
                        .contains("what follows the password in the agent's arguments is not understood"));
        assertThat(settings.toString()
                        + arguments("config=agent.toml")
                        + arguments("config=agent.properties")
                        + arguments("target=a.B#c;monitorPassword=hush7")
                        + properties(Map.of("pglock.targets.a.monitorPassword", "hush8")))
                .contains(
                        "is not TOML",
                        "is not a file of properties",
                        "settings without a target",
                        "counts only together")
                .doesNotContain("hush");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[agent]\\nlokTimeout = \"3s\" | there is no setting lokTimeout. Did you mean lockTimeout?",
                "[agent]\\nlockTimeout = 3 | lockTimeout=3: a bare number has no unit",
                "[agent]\\nlockTimeout = | agent.toml, line 2, column 14: is not TOML",
                "[agent.lockTimeout]\\nx = 1 | lockTimeout in agent.toml is a table, and should be a text",
                "[profiles] | config=agent.toml: has no table [agent]",
                "[agent]\\ntargets = \"x\" | targets in agent.toml is not a list of tables",
                "[[agent.targets]]\\nname = \"n\"\\ntarget = \"a.B#c\"\\n[[agent.targets]]\\nname = \"n\"\\ntarget = \"a.D#e\""
                        + " | two targets in agent.toml have the name n; give one of them another",
                "[[agent.targets]]\\nlog = \"info\" | there is no setting log",
                "[[agent.targets]]\\nlockTimeout = \"3s\" | settings without a target in agent.toml: lockTimeout=3s",
                "agent = 1 | agent in agent.toml is not a table; write [agent]",
            })
    void saysWhatIsWrongInToml(String text, String complaint) throws IOException {
        write("agent.toml", text.split("\\\\n"));

        assertThat(arguments("config=agent.toml").mistakes())
                .anySatisfy(mistake -> assertThat(mistake).contains(complaint));
    }
}
