// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.pglock.LockPolicy.Priority;
import io.pglock.internal.Monitor;
import io.pglock.internal.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

class LockPolicyTest {

    @Test
    void hasTheDefaultsOfTheManual() {
        LockPolicy policy = LockPolicy.defaults();

        assertThat(policy.enabled()).isTrue();
        assertThat(policy.lockTimeout()).contains(Duration.ofSeconds(2));
        assertThat(policy.statementTimeout()).isEmpty();
        assertThat(policy.concurrentLockTimeout()).isEmpty();
        assertThat(policy.retryDeadline()).contains(Duration.ofMinutes(10));
        assertThat(policy.retryAttempts()).isEmpty();
        assertThat(policy.retryDelay()).isEqualTo(Duration.ofMillis(200));
        assertThat(policy.retryMaxDelay()).isEqualTo(Duration.ofSeconds(10));
        assertThat(policy.maxBlockedTime()).contains(Duration.ofMillis(200));
        assertThat(policy.maxVictims()).isEmpty();
        assertThat(policy.report()).isEmpty();
        assertThat(policy.prioritize()).isEqualTo(Priority.REPORT);
        assertThat(policy.prioritizeAfter()).isEqualTo(Duration.ofSeconds(1));
        assertThat(policy.prioritizeGrace()).isEqualTo(Duration.ofSeconds(2));
        assertThat(policy.prioritizeMinAge()).isEmpty();
        assertThat(policy.protect()).containsExactly("pg_dump", "pg_basebackup");
        assertThat(policy.pollInterval()).isEqualTo(Duration.ofMillis(50));
        assertThat(policy.monitorUrl()).isEmpty();
        assertThat(policy.monitorRequired()).isFalse();
        assertThat(policy.monitor()).isEmpty();
        assertThat(LockPolicy.parse(Map.of())).isEqualTo(policy).hasSameHashCodeAs(policy);
    }

    @Test
    void readsEverySetting() {
        LockPolicy policy = LockPolicy.parse(Map.ofEntries(
                Map.entry("enabled", "false"),
                Map.entry("lockTimeout", "500ms"),
                Map.entry("statementTimeout", "2m"),
                Map.entry("concurrentLockTimeout", "1h"),
                Map.entry("retryDeadline", "none"),
                Map.entry("retryAttempts", "7"),
                Map.entry("retryDelay", "1s"),
                Map.entry("retryMaxDelay", "1m"),
                Map.entry("maxBlockedTime", "0s"),
                Map.entry("maxVictims", "0"),
                Map.entry("report", "none"),
                Map.entry("prioritize", "terminate"),
                Map.entry("prioritizeAfter", "0s"),
                Map.entry("prioritizeGrace", "PT1.5S"),
                Map.entry("prioritizeMinAge", "30s"),
                Map.entry("protect", "backup, reporting"),
                Map.entry("pollInterval", "20ms"),
                Map.entry("monitorUrl", "jdbc:postgresql://db:5432/shop"),
                Map.entry("monitorUser", "watcher"),
                Map.entry("monitorPassword", "hush"),
                Map.entry("monitorRequired", "true")));

        assertThat(policy.enabled()).isFalse();
        assertThat(policy.lockTimeout()).contains(Duration.ofMillis(500));
        assertThat(policy.statementTimeout()).contains(Duration.ofMinutes(2));
        assertThat(policy.concurrentLockTimeout()).contains(Duration.ofHours(1));
        assertThat(policy.retryDeadline()).isEmpty();
        assertThat(policy.retryAttempts()).contains(7);
        assertThat(policy.retryDelay()).isEqualTo(Duration.ofSeconds(1));
        assertThat(policy.retryMaxDelay()).isEqualTo(Duration.ofMinutes(1));
        assertThat(policy.maxBlockedTime()).contains(Duration.ZERO);
        assertThat(policy.maxVictims()).contains(0);
        assertThat(policy.report()).isEmpty();
        assertThat(policy.prioritize()).isEqualTo(Priority.TERMINATE);
        assertThat(policy.prioritizeAfter()).isZero();
        assertThat(policy.prioritizeGrace()).isEqualTo(Duration.ofMillis(1500));
        assertThat(policy.prioritizeMinAge()).contains(Duration.ofSeconds(30));
        assertThat(policy.protect()).containsExactly("backup", "reporting");
        assertThat(policy.pollInterval()).isEqualTo(Duration.ofMillis(20));
        assertThat(policy.monitorUrl()).contains("jdbc:postgresql://db:5432/shop");
        assertThat(policy.monitorRequired()).isTrue();
        assertThat(policy.monitor()).isPresent();
    }

    @ParameterizedTest
    @CsvSource({"500ms,PT0.5S", "5s,PT5S", "2m,PT2M", "3h,PT3H", "PT2S,PT2S", "PT1M30S,PT1M30S", "' 7s ',PT7S"})
    void readsDurations(String text, Duration meant) {
        assertThat(LockPolicy.parse(Map.of("lockTimeout", text)).lockTimeout()).contains(meant);
    }

    @Test
    void readsNoneAsNoLimit() {
        assertThat(LockPolicy.parse(Map.of("lockTimeout", "none")).lockTimeout())
                .isEmpty();
        assertThat(LockPolicy.parse(Map.of("protect", "none")).protect()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "5      | lockTimeout=5: a bare number has no unit; write 5s or 5ms",
                "500    | lockTimeout=500: a bare number has no unit; write 500s or 500ms",
                "1.5s   | lockTimeout=1.5s: is not a duration; write 500ms, 5s, 2m, 1h or PT2S, or none",
                "1.5    | lockTimeout=1.5: is not a duration; write 500ms, 5s, 2m, 1h or PT2S, or none",
                "-5     | lockTimeout=-5: is not a duration; write 500ms",
                "+5     | lockTimeout=+5: is not a duration; write 500ms",
                "5 s    | lockTimeout=5 s: is not a duration",
                "soon   | lockTimeout=soon: is not a duration",
                "''     | lockTimeout=: is not a duration",
                "-5s    | lockTimeout=-5s: is not a duration",
                "PT-2S  | lockTimeout=PT-2S: a duration cannot be negative",
                "P2X    | lockTimeout=P2X: is not an ISO-8601 duration such as PT2S",
                "0s     | lockTimeout=0s: PostgreSQL counts in milliseconds and takes 0 for \"no limit\"; write none",
                "PT0.0001S | lockTimeout=PT0.0001S: PostgreSQL counts in milliseconds",
                "25h    | ",
                "597h   | lockTimeout=597h: is longer than PostgreSQL can count (24 days); write none for no limit",
                "999999999999999999h | lockTimeout=999999999999999999h: is too long",
            })
    void saysWhatIsWrongWithADuration(String text, String complaint) {
        if (complaint == null) {
            assertThat(LockPolicy.parse(Map.of("lockTimeout", text)).lockTimeout())
                    .isPresent();
            return;
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockPolicy.parse(Map.of("lockTimeout", text)))
                .withMessageStartingWith("pglock: " + complaint);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "prioritizeAfter | none  | prioritizeAfter=none: is not a duration; write 500ms, 5s, 2m, 1h or PT2S",
                "pollInterval    | 0s    | pollInterval=0s: must be at least 1ms",
                "enabled         | yes   | enabled=yes: is neither true nor false",
                "prioritize      | kill  | prioritize=kill: is none of off, report, cancel, terminate",
                "prioritize      | termnate | prioritize=termnate: is none of off, report, cancel, terminate. Did you mean"
                        + " terminate?",
                "prioritize      | TERMINATE | prioritize=TERMINATE: is none of off, report, cancel, terminate. Did you mean"
                        + " terminate?",
                "protect         | a,,b  | protect=a,,b: an empty name; write names separated by commas, or none",
                "monitorUrl      | jdbc:postgresql://me:hush@db:5432/x | monitorUrl: has a user before its host, which JDBC has not;"
                        + " write jdbc:postgresql://host:port/database, and set monitorUser and monitorPassword",
                "monitorUrl      | jdbc:mysql://db/x | monitorUrl: is not a JDBC URL of PostgreSQL",
                "monitorUrl      | jdbc:postgresql://db:54x2/x?password=100% | monitorUrl: is not a JDBC URL of PostgreSQL",
                "monitorUrl      | jdbc:postgresql://db/x?password=100%&ssl=true | monitorUrl: has a % that no two hexadecimal"
                        + " digits follow; write %25 for a %",
            })
    void saysWhatIsWrongWithAValue(String key, String text, String complaint) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockPolicy.parse(Map.of(key, text)))
                .withMessageStartingWith("pglock: " + complaint);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:postgresql:shop",
                "jdbc:postgresql:",
                "jdbc:postgresql:?user=w&password=s3cret",
                "jdbc:postgresql://",
                "jdbc:postgresql:///",
                "jdbc:postgresql:///shop",
                "jdbc:postgresql://db/",
                "jdbc:postgresql://db/?options=-c%20lock_timeout=5s",
                "jdbc:postgresql://db:1/shop",
                "jdbc:postgresql://db:65535/shop?a/b=c:d@e",
                "jdbc:postgresql://:5432/shop",
                "jdbc:postgresql://one:5432,two,three:5433/shop",
                "jdbc:postgresql://[::1]:5432,[fe80::1]/shop%2f1",
                "jdbc:postgresql://::1:5432/shop",
                "jdbc:postgresql://[fe80::1%eth0]:5432/shop%20one"
            })
    void takesEveryUrlThatTheDriverTakes(String url) {
        assertThat(LockPolicy.parse(Map.of("monitorUrl", url)).monitorUrl()).isPresent();
        assertThat(Monitor.mistake(url)).isEmpty();
        assertThatCode(() -> new PGSimpleDataSource().setURL(url)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:postgresql:/shop?password=s3cret",
                "jdbc:postgresql://db?password=s3cret",
                "jdbc:postgresql://db/shop/too?password=s3cret",
                "jdbc:postgresql://db:/shop?password=s3cret",
                "jdbc:postgresql://db:54x2/shop?password=s3cret",
                "jdbc:postgresql://db:0/shop?password=s3cret",
                "jdbc:postgresql://db:65536/shop?password=s3cret",
                "jdbc:postgresql://one:5432,two:x/shop?password=s3cret",
                "jdbc:postgresql://[::1]:x/shop?password=s3cret",
                "jdbc:postgresql://db/shop?password=s3cret%",
                "jdbc:postgresql://db/shop?password=s3cret%2"
            })
    void whatIsWrongWithAUrlIsSaidBeforeTheDriverLogsIt(String url) {
        assertThat(Monitor.mistake(url))
                .hasValueSatisfying(wrong -> assertThat(wrong).doesNotContain("s3cret"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockPolicy.parse(Map.of("monitorUrl", url)))
                .withMessageNotContaining("s3cret");
        assertThatIllegalArgumentException().isThrownBy(() -> new PGSimpleDataSource().setURL(url));
    }

    @ParameterizedTest
    @CsvSource({
        "lockTimeot,lockTimeout",
        "lock_timeout,lockTimeout",
        "lock-timeout,lockTimeout",
        "LOCKTIMEOUT,lockTimeout",
        "prioritise,prioritize",
        "statement.timeout,statementTimeout",
        "pollIntervall,pollInterval",
        "monitorURL,monitorUrl"
    })
    void asksWhetherAnotherKeyWasMeant(String key, String meant) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockPolicy.parse(Map.of(key, "1s")))
                .withMessageStartingWith(
                        "pglock: there is no setting " + key + ". Did you mean " + meant + "? Available are: ")
                .withMessageContaining("lockTimeout, statementTimeout");
    }

    @Test
    void doesNotGuessWhereNothingIsNear() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockPolicy.parse(Map.of("colour", "blue")))
                .withMessageStartingWith("pglock: there is no setting colour. Available are: enabled, ");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "retryAttempts  | 0    | retryAttempts=0: must be at least 1, or none",
                "retryAttempts  | many | retryAttempts=many: is not a whole number; write 1, 10 or none",
                "maxVictims     | -1   | maxVictims=-1: must be at least 0, or none",
                "retryDelay     | none | retryDelay=none: is not a duration; write 500ms, 5s, 2m, 1h or PT2S",
                "retryDelay     | 0s   | retryDelay=0s: must be at least 1ms",
                "retryDeadline  | 10   | retryDeadline=10: a bare number has no unit; write 10s or 10ms",
                "maxBlockedTime | 200  | maxBlockedTime=200: a bare number has no unit; write 200s or 200ms",
            })
    void saysWhatIsWrongWithARetry(String key, String text, String complaint) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockPolicy.parse(Map.of(key, text)))
                .withMessage("pglock: " + complaint);
    }

    @Test
    void refusesAReportThatCannotBeWritten(@TempDir Path folder) {
        assertThat(LockPolicy.defaults().report(folder.resolve("locks.jsonl")).report())
                .contains(folder.resolve("locks.jsonl"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockPolicy.parse(
                        Map.of("report", folder.resolve("none/locks.jsonl").toString())))
                .withMessageEndingWith("its folder does not exist; create it, or write none");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockPolicy.parse(Map.of("report", folder.toString())))
                .withMessageEndingWith("cannot be written; name a file that can, or none");
    }

    @Test
    void namesAllMistakesAtOnce() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockPolicy.parse(Map.of("lockTimeout", "5", "prioritize", "maybe", "nope", "1")))
                .withMessageContaining("lockTimeout=5")
                .withMessageContaining("prioritize=maybe")
                .withMessageContaining("no setting nope");
    }

    @Test
    void wantsAUrlWhereAUserIsGiven() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockPolicy.parse(Map.of("monitorUser", "watcher")))
                .withMessage("pglock: monitorUser counts only together with monitorUrl; set that too");
    }

    @Test
    void overridesForOneUnitAndKeepsTheRest() {
        LockPolicy policy = LockPolicy.parse(Map.of("lockTimeout", "3s", "prioritize", "cancel"));

        LockPolicy unit = policy.with(Map.of("lockTimeout", "none"));

        assertThat(unit.lockTimeout()).isEmpty();
        assertThat(unit.prioritize()).isEqualTo(Priority.CANCEL);
        assertThat(policy.lockTimeout()).contains(Duration.ofSeconds(3));
    }

    @Test
    void saysTheSameInCodeAsInText() {
        LockPolicy inText = LockPolicy.parse(Map.of(
                        "lockTimeout", "3s",
                        "statementTimeout", "1m",
                        "concurrentLockTimeout", "1h",
                        "prioritize", "cancel",
                        "prioritizeAfter", "500ms",
                        "prioritizeGrace", "1s",
                        "prioritizeMinAge", "0s",
                        "protect", "a,b",
                        "pollInterval", "10ms",
                        "monitorRequired", "true"))
                .with(Map.of(
                        "retryDeadline", "1m",
                        "retryAttempts", "3",
                        "retryDelay", "10ms",
                        "retryMaxDelay", "2s",
                        "maxBlockedTime", "none",
                        "maxVictims", "5"));

        LockPolicy inCode = LockPolicy.defaults()
                .lockTimeout(Duration.ofSeconds(3))
                .statementTimeout(Duration.ofMinutes(1))
                .concurrentLockTimeout(Duration.ofHours(1))
                .prioritize(Priority.CANCEL)
                .prioritizeAfter(Duration.ofMillis(500))
                .prioritizeGrace(Duration.ofSeconds(1))
                .prioritizeMinAge(Duration.ZERO)
                .protect("a", "b")
                .pollInterval(Duration.ofMillis(10))
                .monitorRequired(true)
                .retryDeadline(Duration.ofMinutes(1))
                .retryAttempts(3)
                .retryDelay(Duration.ofMillis(10))
                .retryMaxDelay(Duration.ofSeconds(2))
                .noMaxBlockedTime()
                .maxVictims(5);

        assertThat(inCode).isEqualTo(inText);
        assertThat(inCode.noLockTimeout()
                        .noStatementTimeout()
                        .noConcurrentLockTimeout()
                        .enabled(false))
                .isEqualTo(inText.with(Map.of(
                        "lockTimeout", "none",
                        "statementTimeout", "none",
                        "concurrentLockTimeout", "none",
                        "enabled", "false")));
    }

    @Test
    void holdsCodeToTheSameBounds() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockPolicy.defaults().lockTimeout(Duration.ZERO))
                .withMessageStartingWith("lockTimeout=0s: PostgreSQL counts in milliseconds");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockPolicy.defaults().prioritizeAfter(Duration.ofSeconds(-1)))
                .withMessageContaining("cannot be negative");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockPolicy.defaults().protect("a", ""));
    }

    @Test
    void showsALineThatIsNotUnderstoodUnlessItMayHoldAPassword() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockPolicy.settings("lockTimeout=3s prioritize"))
                .withMessageContaining("\"lockTimeout=3s prioritize\" is not understood at \"prioritize\"");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockPolicy.settings(" "))
                .withMessageContaining("\"\" has no setting; write key=value");
        for (String line : List.of(
                "monitorPassword=hush hush",
                "hush monitorPasword=x",
                "MONITORPASSWORD hush",
                "monitorUrl=jdbc:postgresql://me:hush@db/shop hush")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> LockPolicy.settings(line))
                    .withMessageContaining("a line with a password is not understood; write key=value")
                    .withMessageNotContaining("hush");
        }
    }

    @Test
    void neverShowsAPassword() {
        LockPolicy policy = LockPolicy.parse(Map.of(
                "monitorUrl", "jdbc:postgresql://db/shop?user=me&password=hush1",
                "monitorPassword", "hush2",
                "lockTimeout", "90s"));

        assertThat(policy)
                .hasToString("LockPolicy[lockTimeout=90s, monitorUrl=jdbc:postgresql://db/shop, monitorPassword=...]");
        assertThat(LockPolicy.parse(Map.of("monitorUrl", "jdbc:postgresql://db/me@home?user=me@home")))
                .asString()
                .contains("monitorUrl=jdbc:postgresql://db/me@home");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockPolicy.parse(Map.of("monitorUrl", "jdbc:postgresql://me:hush3@db:5432/shop")))
                .withMessageNotContaining("hush3");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockPolicy.parse(Map.of("monitorUrl", "jdbc:postgres://db/shop?password=hush3")))
                .satisfies(e -> assertThat(e.toString()).doesNotContain("hush3"))
                .satisfies(e -> assertThat(String.valueOf(e.getCause())).doesNotContain("hush3"));
    }

    @Test
    void derivedPoliciesShareTheSideConnectionUnlessItIsAnother() {
        LockPolicy policy = LockPolicy.parse(Map.of("monitorUrl", "jdbc:postgresql://db/shop"));

        assertThat(policy.lockTimeout(Duration.ofSeconds(1)).monitor().orElseThrow())
                .isSameAs(policy.monitor().orElseThrow());
        assertThat(policy.with(Map.of("monitorUser", "other")).monitor().orElseThrow())
                .isNotSameAs(policy.monitor().orElseThrow());
    }

    @Test
    void isTheTableOfTheManual() throws IOException {
        Path manual = Path.of(System.getProperty("basedir", ".")).resolve("../docs/settings.md");
        List<String> table = Files.readAllLines(manual).stream()
                .filter(line -> line.startsWith("| `"))
                .toList();

        assertThat(table)
                .as("the table of docs/settings.md")
                .containsExactlyElementsOf(Arrays.stream(Setting.values())
                        .map(setting -> "| `" + setting.key() + "` | "
                                + (setting.defaultText().isEmpty() ? "" : "`" + setting.defaultText() + "` ") + "| "
                                + setting.meaning() + " |")
                        .toList());
    }
}
