// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockPolicy;
import io.pglock.agent.internal.AgentLog.Threshold;
import io.pglock.agent.internal.AgentSettings.OnError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AgentSettingsTest {

    private Path folder = Path.of("");

    @BeforeEach
    void work(@TempDir Path directory) {
        folder = directory;
    }

    private AgentSettings arguments(String arguments) {
        return AgentSettings.of(arguments, Map.of(), Map.of(), folder);
    }

    private AgentSettings properties(Map<String, String> properties) {
        return AgentSettings.of("", properties, Map.of(), folder);
    }

    private AgentSettings environment(Map<String, String> environment) {
        return AgentSettings.of("", Map.of(), environment, folder);
    }

    private static LockPolicy policy(AgentSettings settings, int target) {
        return LockPolicy.parse(settings.targets().get(target).spec().settings());
    }

    private void write(String file, String... lines) throws IOException {
        Files.writeString(folder.resolve(file), String.join("\n", lines));
    }

    @Test
    void isQuietWhereNothingIsSaid() {
        AgentSettings settings = arguments("");

        assertThat(settings.enabled()).isTrue();
        assertThat(settings.onError()).isEqualTo(OnError.WARN);
        assertThat(settings.log()).isEqualTo(Threshold.INFO);
        assertThat(settings.logFile()).isEmpty();
        assertThat(settings.spring()).isTrue();
        assertThat(settings.isExcluded("com/acme/Job")).isFalse();
        assertThat(settings.targets()).isEmpty();
        assertThat(settings.sources()).isEmpty();
        assertThat(settings.mistakes()).isEmpty();
    }

    @Test
    void readsArguments() {
        AgentSettings settings =
                arguments("target=org.flywaydb.core.Flyway#migrate;lockTimeout=20s;prioritize=terminate");

        assertThat(settings.mistakes()).isEmpty();
        assertThat(settings.sources()).containsExactly("the agent's arguments");
        assertThat(settings.targets()).hasSize(1);
        assertThat(settings.targets().get(0).pattern()).hasToString("org.flywaydb.core.Flyway#migrate");
        assertThat(policy(settings, 0))
                .isEqualTo(LockPolicy.parse(
                        Map.of("lockTimeout", "20s", "prioritize", "terminate", "retryDeadline", "0s")));
    }

    @Test
    void argumentsBeforeTheFirstTargetHoldForAll() {
        AgentSettings settings = arguments(
                "log=debug; on-error=fail ;lockTimeout=3s;advisoryTimeout=0s;onTimeout=skip;"
                        + "target=com.acme.A#run;advisory;target=com.acme.B#run;lock-timeout=4s;excludeClasses=com.acme.gen.**,com.acme.X;");

        assertThat(settings.mistakes()).isEmpty();
        assertThat(settings.log()).isEqualTo(Threshold.DEBUG);
        assertThat(settings.onError()).isEqualTo(OnError.FAIL);
        assertThat(settings.isExcluded("com/acme/gen/a/B")).isTrue();
        assertThat(settings.isExcluded("com/acme/X")).isTrue();
        assertThat(settings.isExcluded("com/acme/Y")).isFalse();
        assertThat(policy(settings, 0).lockTimeout()).contains(Duration.ofSeconds(3));
        assertThat(policy(settings, 1).lockTimeout()).contains(Duration.ofSeconds(4));
        assertThat(settings.targets().get(0).spec().onTimeout()).isEqualTo(Spec.OnTimeout.SKIP);
        assertThat(settings.targets().get(0).spec().advisory())
                .contains(new Spec.Advisory("", false, false, Optional.of(Duration.ZERO)));
        assertThat(settings.targets().get(1).spec().onTimeout())
                .as("without a lock there is nothing to skip")
                .isEqualTo(Spec.OnTimeout.RAISE);
    }

    @Test
    void aBackslashKeepsASemicolon() {
        AgentSettings settings = arguments("target=com.acme.A#run;advisory=a\\;b\\c;monitorUrl=x");

        assertThat(settings.mistakes()).singleElement().asString().contains("monitorUrl: is not a JDBC URL");
        assertThat(arguments("target=com.acme.A#run;advisory=a\\;b\\c")
                        .targets()
                        .get(0)
                        .spec()
                        .advisory())
                .contains(new Spec.Advisory("a;b\\c", false, false, Optional.empty()));
    }

    @Test
    void readsSystemProperties() {
        AgentSettings settings = properties(Map.of(
                "pglock.target", "com.acme.Migrator#run",
                "pglock.lockTimeout", "3s",
                "pglock.targets.nightly.target", "com.acme.Job#run",
                "pglock.targets.nightly.lockTimeout", "4s",
                "pglock.targets.nightly.advisory", "nightly",
                "other.property", "x"));

        assertThat(settings.mistakes()).isEmpty();
        assertThat(settings.targets())
                .extracting(target -> target.pattern().toString())
                .containsExactlyInAnyOrder("com.acme.Migrator#run", "com.acme.Job#run");
        settings.targets()
                .forEach(target -> assertThat(
                                LockPolicy.parse(target.spec().settings()).lockTimeout())
                        .contains(Duration.ofSeconds(target.pattern().toString().contains("Job") ? 4 : 3)));
    }

    @Test
    void readsTheEnvironment() {
        AgentSettings settings = environment(Map.of(
                "PGLOCK_TARGET", "com.acme.Migrator#run",
                "PGLOCK_LOCK_TIMEOUT", "3s",
                "PGLOCK_STATEMENTTIMEOUT", "1m",
                "PGLOCK_ON_ERROR", "fail",
                "PGLOCK_TARGETS_NIGHTLY_JOB_TARGET", "com.acme.Job#run",
                "PGLOCK_TARGETS_NIGHTLY_JOB_CONCURRENT_LOCK_TIMEOUT", "4s",
                "PATH", "/bin"));

        assertThat(settings.mistakes()).isEmpty();
        assertThat(settings.onError()).isEqualTo(OnError.FAIL);
        assertThat(settings.targets()).hasSize(2);
        LockPolicy job = settings.targets().stream()
                .filter(target -> target.pattern().toString().contains("Job"))
                .map(target -> LockPolicy.parse(target.spec().settings()))
                .findFirst()
                .orElseThrow();
        assertThat(job.concurrentLockTimeout()).contains(Duration.ofSeconds(4));
        assertThat(job.lockTimeout()).contains(Duration.ofSeconds(3));
        assertThat(job.statementTimeout()).contains(Duration.ofMinutes(1));
    }

    @Test
    void readsAFileOfProperties() throws IOException {
        write(
                "agent.properties",
                "lockTimeout=3s",
                "pglock.log=off",
                "targets.a.target=com.acme.A#run",
                "targets.b.target=com.acme.B#run",
                "targets.b.lockTimeout=4s");

        AgentSettings settings = arguments("config=agent.properties");

        assertThat(settings.mistakes()).isEmpty();
        assertThat(settings.sources()).containsExactly("the agent's arguments", "agent.properties");
        assertThat(settings.log()).isEqualTo(Threshold.OFF);
        assertThat(policy(settings, 0).lockTimeout()).contains(Duration.ofSeconds(3));
        assertThat(policy(settings, 1).lockTimeout()).contains(Duration.ofSeconds(4));
    }

    @Test
    void readsToml() throws IOException {
        write(
                "pglock.toml",
                "[profiles.prod]",
                "url = \"jdbc:postgresql://db/shop\"",
                "[agent]",
                "lockTimeout = \"3s\"",
                "protect = [\"backup\", \"reporting\"]",
                "on-error = \"fail\"",
                "spring = false",
                "[[agent.targets]]",
                "target = \"com.acme.A#run\"",
                "advisory = true",
                "[[agent.targets]]",
                "name = \"b\"",
                "target = \"com.acme.B#run\"",
                "retryAttempts = 3");

        AgentSettings settings = AgentSettings.of("", Map.of("pglock.targets.b.lockTimeout", "4s"), Map.of(), folder);

        assertThat(settings.mistakes()).isEmpty();
        assertThat(settings.onError()).isEqualTo(OnError.FAIL);
        assertThat(settings.spring()).isFalse();
        assertThat(settings.targets())
                .extracting(target -> target.pattern().toString())
                .containsExactlyInAnyOrder("com.acme.A#run", "com.acme.B#run");
        settings.targets().forEach(target -> {
            LockPolicy policy = LockPolicy.parse(target.spec().settings());
            boolean b = target.pattern().toString().contains("B");
            assertThat(policy.protect()).containsExactly("backup", "reporting");
            assertThat(policy.lockTimeout()).contains(Duration.ofSeconds(b ? 4 : 3));
            assertThat(target.spec().retries()).isEqualTo(b);
            assertThat(target.spec().advisory().isPresent()).isNotEqualTo(b);
        });
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
                "[[agent.targets]]\\nlog = \"info\" | there is no setting log",
                "[[agent.targets]]\\nlockTimeout = \"3s\" | settings without a target in agent.toml: lockTimeout=3s",
                "agent = 1 | agent in agent.toml is not a table; write [agent]",
            })
    void saysWhatIsWrongInToml(String text, String complaint) throws IOException {
        write("agent.toml", text.split("\\\\n"));

        assertThat(arguments("config=agent.toml").mistakes())
                .anySatisfy(mistake -> assertThat(mistake).contains(complaint));
    }

    @Test
    void leavesAFileInTheWorkingDirectoryAloneThatIsNotTheAgents() throws IOException {
        write("pglock.toml", "[profiles.prod]", "lockTimeout = \"nonsense\"");
        write("pglock.properties", "url=jdbc:postgresql://db/shop", "format=json");

        assertThat(arguments("").mistakes()).isEmpty();
        assertThat(arguments("").sources()).isEmpty();
    }

    @Test
    void findsAFileInTheWorkingDirectory() throws IOException {
        write("pglock.properties", "target=com.acme.A#run");

        assertThat(arguments("").targets()).hasSize(1);

        write("pglock.toml", "[agent]", "target = \"com.acme.B#run\"");
        assertThat(arguments("").mistakes())
                .singleElement()
                .asString()
                .startsWith("both pglock.properties and pglock.toml in " + folder);
        assertThat(arguments("config=pglock.toml").mistakes()).isEmpty();
    }

    @Test
    void argumentsPrecedePropertiesAndThoseTheEnvironmentAndThatAFile() throws IOException {
        write(
                "file.properties",
                "lockTimeout=4s",
                "statementTimeout=4s",
                "retryDelay=4s",
                "pollInterval=4s",
                "log=off");
        Map<String, String> environment = Map.of(
                "PGLOCK_LOCK_TIMEOUT", "3s",
                "PGLOCK_STATEMENT_TIMEOUT", "3s",
                "PGLOCK_RETRY_DELAY", "3s",
                "PGLOCK_CONFIG", "file.properties");
        Map<String, String> properties = Map.of("pglock.lockTimeout", "2s", "pglock.statementTimeout", "2s");

        AgentSettings settings =
                AgentSettings.of("lockTimeout=1s;target=com.acme.A#run", properties, environment, folder);

        assertThat(settings.mistakes()).isEmpty();
        LockPolicy policy = policy(settings, 0);
        assertThat(policy.lockTimeout()).contains(Duration.ofSeconds(1));
        assertThat(policy.statementTimeout()).contains(Duration.ofSeconds(2));
        assertThat(policy.retryDelay()).isEqualTo(Duration.ofSeconds(3));
        assertThat(policy.pollInterval()).isEqualTo(Duration.ofSeconds(4));
        assertThat(settings.log()).isEqualTo(Threshold.OFF);
    }

    @Test
    void targetsThatMeanTheSameAreOneKeyByKey() {
        AgentSettings settings = AgentSettings.of(
                "target=com.acme.A#run;lockTimeout=1s",
                Map.of(
                        "pglock.targets.a.target", "com.acme.A#run",
                        "pglock.targets.a.lockTimeout", "2s",
                        "pglock.targets.a.statementTimeout", "2s"),
                Map.of("PGLOCK_TARGETS_A_RETRY_DELAY", "3s", "PGLOCK_TARGETS_A_STATEMENT_TIMEOUT", "3s"),
                folder);

        assertThat(settings.mistakes()).isEmpty();
        assertThat(settings.targets()).hasSize(1);
        assertThat(policy(settings, 0).lockTimeout()).contains(Duration.ofSeconds(1));
        assertThat(policy(settings, 0).statementTimeout()).contains(Duration.ofSeconds(2));
        assertThat(policy(settings, 0).retryDelay()).isEqualTo(Duration.ofSeconds(3));
        assertThat(settings.targets().get(0).source()).isEqualTo("the agent's arguments");
    }

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

    @Test
    void asksThisProcess() {
        assertThat(AgentSettings.ofThisProcess("target=a.B#c").targets()).hasSize(1);
    }

    @Test
    void readsWhatTheManualShows() {
        AgentSettings settings =
                AgentSettings.of("config=src/test/resources/documented.toml", Map.of(), Map.of(), Path.of(""));

        assertThat(settings.mistakes()).isEmpty();
        assertThat(settings.onError()).isEqualTo(AgentSettings.OnError.FAIL);
        assertThat(settings.targets())
                .extracting(target -> target.spec().skips())
                .containsExactly(true, false);
    }
}
