// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockPolicy;
import io.pglock.agent.internal.AgentLog.Threshold;
import io.pglock.agent.internal.AgentSettings.OnError;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AgentSettingsTest extends SettingsPlaces {

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
