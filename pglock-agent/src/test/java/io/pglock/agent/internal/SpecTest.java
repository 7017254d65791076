// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.pglock.LockKey;
import io.pglock.LockPolicy;
import io.pglock.LockPolicy.Priority;
import io.pglock.agent.internal.Spec.OnTimeout;
import io.pglock.agent.internal.driver.AdvisoryKeys;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SpecTest {

    /** {@code "lockTimeout=3s advisory=nightly"}, the values without blanks. */
    static Map<String, String> keys(String line) {
        return line.isBlank() ? Map.of() : LockPolicy.settings(line);
    }

    @Test
    void aTargetHasThePolicysDefaultsButIsNotTriedAgain() {
        Spec spec = Spec.parse(Map.of());

        LockPolicy policy = LockPolicy.parse(spec.settings());
        assertThat(policy).isEqualTo(LockPolicy.defaults().retryDeadline(Duration.ZERO));
        assertThat(spec.retries()).isFalse();
        assertThat(spec.advisory()).isEmpty();
        assertThat(spec.table()).isEmpty();
        assertThat(spec.onTimeout()).isEqualTo(OnTimeout.RAISE);
        assertThat(spec.skipValue()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "retryDeadline=5m, true, PT5M",
        "retryAttempts=3, true, PT10M",
        "retryAttempts=1, false, PT10M",
        "retryDeadline=0s retryAttempts=3, false, PT0S",
        "retryDeadline=0ms, false, PT0S",
        "retryDelay=1s, false, PT0S"
    })
    void isTriedAgainOnlyWhereThatIsSaid(String line, boolean retries, Duration deadline) {
        Spec spec = Spec.parse(keys(line));

        assertThat(spec.retries()).isEqualTo(retries);
        assertThat(LockPolicy.parse(spec.settings()).retryDeadline()).contains(deadline);
    }

    @Test
    void readsAnAdvisoryLock() {
        Spec spec = Spec.parse(
                keys(
                        "advisory=nightly advisoryShared=true advisoryTimeout=0s onTimeout=skip skipValue=-1 prioritize=cancel"));

        assertThat(spec.advisory()).contains(new Spec.Advisory("nightly", true, false, Optional.of(Duration.ZERO)));
        assertThat(spec.onTimeout()).isEqualTo(OnTimeout.SKIP);
        assertThat(spec.skipValue()).contains("-1");
        assertThat(LockPolicy.parse(spec.settings()).prioritize()).isEqualTo(Priority.CANCEL);
    }

    @ParameterizedTest
    @ValueSource(strings = {"True", "FALSE", "yes", "No", "on", "off", "none"})
    void takesNoAnswerForTheNameOfALock(String answer) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Spec.parse(Map.of("advisory", answer)))
                .withMessage("pglock: advisory=" + answer
                        + ": would be a lock of that name; write true for <class>.<method>,"
                        + " false for no lock, or another name");
    }

    @Test
    void whatIsSwitchedOffHasNothing() {
        assertThat(Spec.parse(keys("enabled=false advisory=nightly table=orders onTimeout=skip skipValue=x")))
                .isEqualTo(Spec.NOTHING);
    }

    @Test
    void leavesTheNameOfAnAdvisoryLockToTheMethod() {
        for (String text : List.of("", "true")) {
            Spec spec = Spec.parse(Map.of("advisory", text));
            assertThat(spec.advisory().orElseThrow().key()).isEmpty();
            assertThat(spec.advisory().orElseThrow().timeout()).isEmpty();
        }
        assertThat(Spec.parse(Map.of("advisory", "false")).advisory()).isEmpty();
    }

    @Test
    void readsNumbersAsKeys() {
        assertThat(AdvisoryKeys.read("42")).isEqualTo(LockKey.of(42));
        assertThat(AdvisoryKeys.read("-9223372036854775808")).isEqualTo(LockKey.of(Long.MIN_VALUE));
        assertThat(AdvisoryKeys.read("7:-42")).isEqualTo(LockKey.of(7, -42));
        assertThat(AdvisoryKeys.read("7 : 42")).isEqualTo(LockKey.of(7, 42));
        assertThat(AdvisoryKeys.read("orders:42")).isEqualTo(LockKey.named("orders:42"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Spec.parse(Map.of("advisory", "1:4294967296")))
                .withMessageContaining("two of 32 bits");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Spec.parse(Map.of("advisory", "9223372036854775808")))
                .withMessageContaining("one number of 64 bits");
    }

    @Test
    void readsATableLock() {
        Spec.Table table = Spec.parse(Map.of(
                        "table",
                        "orders, billing.lines,\"a,\"\"b\"",
                        "tableMode",
                        "share row_exclusive",
                        "tableTimeout",
                        "500ms"))
                .table()
                .orElseThrow();

        assertThat(table.tables()).containsExactly("orders", "billing.lines", "\"a,\"\"b\"");
        assertThat(table.mode()).isEqualTo("SHARE ROW EXCLUSIVE");
        assertThat(table.timeout()).contains(Duration.ofMillis(500));
        assertThat(table.nowait()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"nowait", "0s"})
    void doesNotWaitForATableAtAll(String timeout) {
        Spec.Table table = Spec.parse(Map.of("table", "orders", "tableTimeout", timeout))
                .table()
                .orElseThrow();

        assertThat(table.nowait()).isTrue();
        assertThat(table.timeout()).isEmpty();
        assertThat(table.mode()).isEqualTo("ACCESS EXCLUSIVE");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "lokTimeout=3s | there is no setting lokTimeout. Did you mean lockTimeout? Available are: target, advisory,",
                "advisry=x | there is no setting advisry. Did you mean advisory?",
                "lockTimeout=3 | lockTimeout=3: a bare number has no unit; write 3s or 3ms",
                "advisory=x advisoryTimeout=3 | advisoryTimeout=3: a bare number has no unit",
                "advisory=x advisoryShared=yes | advisoryShared=yes: is neither true nor false",
                "advisoryTimeout=3s | advisoryTimeout counts only together with advisory",
                "advisoryXact=true | advisoryXact counts only together with advisory",
                "tableTimeout=nowait | tableTimeout counts only together with table",
                "tableMode=share | tableMode counts only together with table",
                "table=orders tableMode=exklusive | tableMode=exklusive: is none of access share, row share",
                "table=orders tableMode=exklusive | Did you mean exclusive?",
                "table=a-b | table=a-b: is not the name of a table",
                "table=a,,b | table=: is not the name of a table",
                "onTimeout=skipp | onTimeout=skipp: is none of raise, skip. Did you mean skip?",
                "onTimeout=skip | onTimeout=skip counts only together with advisory or table",
                "advisory=x skipValue=1 | skipValue counts only together with onTimeout=skip",
                "advisory=x advisoryXact=true advisoryTimeout=1s onTimeout=skip | cannot be had with advisoryXact",
                "advisory=x onTimeout=skip advisoryTimeout=none | never skips while advisoryTimeout is none",
                "table=x lockTimeout=none onTimeout=skip | never skips while tableTimeout and lockTimeout are none",
                "monitorUrl=postgres://db | monitorUrl: is not a JDBC URL of PostgreSQL",
                "monitorUser=me | monitorUser counts only together with monitorUrl",
            })
    void saysWhatIsWrong(String line, String complaint) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Spec.parse(keys(line)))
                .withMessageStartingWith("pglock: ")
                .withMessageContaining(complaint);
    }

    @Test
    void saysEverythingThatIsWrongAtOnce() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Spec.parse(keys("lockTimeout=3 prioritize=kill advisory=x advisoryXact=no table=1x")))
                .withMessageContaining("lockTimeout=3:")
                .withMessageContaining("prioritize=kill:")
                .withMessageContaining("advisoryXact=no:")
                .withMessageContaining("table=1x:");
    }

    @Test
    void aTableThatIsBoundedByTheLockTimeoutMaySkip() {
        assertThat(Spec.parse(keys("table=x onTimeout=skip")).onTimeout()).isEqualTo(OnTimeout.SKIP);
    }

    @Test
    void annotationsSetOnlyWhatTheySay() {
        Spec spec = ofAnnotations(Map.of("WithAdvisoryLock", Map.of("value", "nightly")));

        LockPolicy policy = LockPolicy.parse(spec.settings());
        assertThat(policy.lockTimeout()).isEmpty();
        assertThat(policy.prioritize()).isEqualTo(Priority.OFF);
        assertThat(policy.retryDeadline()).contains(Duration.ZERO);
        assertThat(spec.advisory()).contains(new Spec.Advisory("nightly", false, false, Optional.empty()));
    }

    @Test
    void anAnnotationThatSkipsAndSaysNoTimeoutDoesNotWait() {
        for (String timeout : List.of("", "none")) {
            Map<String, Object> attributes = new LinkedHashMap<>(Map.of("value", "nightly", "onTimeout", "SKIP"));
            if (!timeout.isEmpty()) {
                attributes.put("timeout", timeout);
            }

            Spec spec = ofAnnotations(Map.of("WithAdvisoryLock", attributes));

            assertThat(spec.onTimeout()).isEqualTo(OnTimeout.SKIP);
            assertThat(spec.advisory())
                    .contains(new Spec.Advisory("nightly", false, false, Optional.of(Duration.ZERO)));
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ofAnnotations(
                        Map.of("WithTableLock", Map.of("value", new String[] {"orders"}, "onTimeout", "SKIP"))))
                .withMessageContaining("never skips while tableTimeout and lockTimeout are none");
    }

    @Test
    void annotationsCombine() {
        Map<String, Map<String, Object>> annotations = new LinkedHashMap<>();
        annotations.put("WithPriority", Map.of("value", "CANCEL", "settings", "prioritizeAfter=0s protect=backup"));
        annotations.put("WithLockTimeout", Map.of("value", "5s", "settings", "retryDeadline=10m retryDelay=1s"));
        annotations.put(
                "WithAdvisoryLock",
                Map.of(
                        "value",
                        "",
                        "shared",
                        true,
                        "xact",
                        false,
                        "timeout",
                        "1s",
                        "onTimeout",
                        "SKIP",
                        "skipValue",
                        "0"));
        annotations.put(
                "WithTableLock",
                Map.of(
                        "value",
                        new String[] {"orders", "lines"},
                        "mode",
                        "SHARE_ROW_EXCLUSIVE",
                        "timeout",
                        "nowait",
                        "onTimeout",
                        "SKIP"));

        Spec spec = ofAnnotations(annotations);

        assertThat(LockPolicy.parse(spec.settings()))
                .isEqualTo(
                        LockPolicy.parse(
                                keys(
                                        "lockTimeout=5s prioritize=cancel prioritizeAfter=0s protect=backup retryDeadline=10m retryDelay=1s")));
        assertThat(spec.advisory()).contains(new Spec.Advisory("", true, false, Optional.of(Duration.ofSeconds(1))));
        assertThat(spec.table())
                .contains(new Spec.Table(List.of("orders", "lines"), "SHARE ROW EXCLUSIVE", Optional.empty(), true));
        assertThat(spec.onTimeout()).isEqualTo(OnTimeout.SKIP);
        assertThat(spec.skipValue()).contains("0");
        assertThat(spec.retries()).isTrue();
    }

    @Test
    void annotationsThatContradictEachOtherAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ofAnnotations(Map.of(
                        "WithPriority", Map.of("value", "CANCEL"),
                        "WithLockTimeout", Map.of("value", "5s", "settings", "prioritize=terminate"))))
                .withMessageContaining("@WithLockTimeout says prioritize=terminate, @WithPriority prioritize=cancel;");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ofAnnotations(Map.of(
                        "WithAdvisoryLock", Map.of("timeout", "0s", "onTimeout", "SKIP"),
                        "WithTableLock", Map.of("value", new String[] {"orders"}))))
                .withMessageContaining("@WithAdvisoryLock says onTimeout=skip, @WithTableLock onTimeout=raise");
    }

    @Test
    void annotationsThatAreNotUnderstoodAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ofAnnotations(Map.of("WithTableLock", Map.of("value", new String[0]))))
                .withMessageContaining("@WithTableLock: names no table");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ofAnnotations(Map.of("WithAdvisoryLock", Map.of("fair", true))))
                .withMessageContaining("does not know fair; use the same version");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ofAnnotations(Map.of("WithPriority", Map.of("settings", "prioritizeAfter"))))
                .withMessageContaining("is not understood at \"prioritizeAfter\"");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ofAnnotations(Map.of("WithPriority", Map.of("settings", "advisory=x"))))
                .withMessageContaining("advisory");
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> ofAnnotations(Map.of("WithPriority", Map.of("settings", "monitorPassword=hush hush"))))
                .withMessageContaining("a line with a password is not understood; write key=value")
                .withMessageNotContaining("hush");
    }

    @Test
    void neverShowsAPassword() {
        Spec spec = Spec.parse(keys(
                "monitorUrl=jdbc:postgresql://db/shop?password=hush monitorUser=me monitorPassword=hush table=orders"));

        assertThat(spec.toString())
                .contains("monitorUser=me", "table=orders", "db/shop")
                .doesNotContain("hush");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Spec.parse(keys("monitorUrl=jdbc:postgresql://me:hush@db/shop")))
                .withMessageContaining("monitorUrl: has a user before its host")
                .withMessageContaining("set monitorUser and monitorPassword")
                .withMessageNotContaining("hush");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Spec.parse(keys("monitorUrl=jdbc:postgresql://db:54x2/shop?user=me&password=hush")))
                .withMessageContaining("monitorUrl: is not a JDBC URL of PostgreSQL")
                .withMessageNotContaining("hush");
    }

    private static Spec ofAnnotations(Map<String, Map<String, Object>> annotations) {
        return Spec.parse(AnnotationKeys.of(annotations), Spec.Base.ANNOTATIONS);
    }
}
