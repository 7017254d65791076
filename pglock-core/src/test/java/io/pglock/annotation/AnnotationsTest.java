// SPDX-License-Identifier: Apache-2.0
package io.pglock.annotation;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockMode;
import io.pglock.LockPolicy;
import java.lang.annotation.Annotation;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written on a method can be read there, by those who know these classes and by those who do not. */
class AnnotationsTest {

    private static final String ACTIVE = "io.pglock.agent.active";

    @AfterEach
    void noAgent() {
        System.clearProperty(ACTIVE);
    }

    // docs: annotations
    @WithAdvisoryLock(timeout = "5s", onTimeout = OnTimeout.SKIP)
    @WithLockTimeout(value = "2s", settings = "retryDeadline=10m")
    @WithPriority(LockPolicy.Priority.TERMINATE)
    void archive() {}

    @WithTableLock(
            value = {"orders", "billing.invoices"},
            mode = LockMode.SHARE_ROW_EXCLUSIVE)
    void settle() {}
    // end

    private static <A extends Annotation> A on(String method, Class<A> type) throws NoSuchMethodException {
        A found = AnnotationsTest.class.getDeclaredMethod(method).getAnnotation(type);
        assertThat(found).isNotNull();
        return found;
    }

    @Test
    void saysWhatIsWrittenAndElseTheDefaults() throws NoSuchMethodException {
        WithAdvisoryLock advisory = on("archive", WithAdvisoryLock.class);
        assertThat(advisory.value()).isEmpty();
        assertThat(advisory.shared()).isFalse();
        assertThat(advisory.xact()).isFalse();
        assertThat(advisory.timeout()).isEqualTo("5s");
        assertThat(advisory.onTimeout()).isEqualTo(OnTimeout.SKIP);
        WithTableLock table = on("settle", WithTableLock.class);
        assertThat(table.value()).containsExactly("orders", "billing.invoices");
        assertThat(table.timeout()).isEqualTo("none");
        assertThat(table.onTimeout()).isEqualTo(OnTimeout.RAISE);
        WithLockTimeout timeout = on("archive", WithLockTimeout.class);
        assertThat(timeout.statementTimeout()).isEmpty();
        assertThat(LockPolicy.settings(timeout.settings())).isEqualTo(Map.of("retryDeadline", "10m"));
        assertThat(on("archive", WithPriority.class).value()).isEqualTo(LockPolicy.Priority.TERMINATE);
    }

    @ParameterizedTest
    @ValueSource(classes = {WithAdvisoryLock.class, WithTableLock.class, WithLockTimeout.class, WithPriority.class})
    void standsOnMethodsAndInTheirByteCode(Class<? extends Annotation> type) {
        assertThat(type.getAnnotation(Retention.class).value()).isEqualTo(RetentionPolicy.RUNTIME);
        assertThat(type.getAnnotation(Target.class).value()).containsExactly(ElementType.METHOD);
    }

    @Test
    void theAgentIsPresentOnceItSaysSo() {
        assertThat(Agent.isPresent()).isFalse();
        System.setProperty(ACTIVE, "true");
        assertThat(Agent.isPresent()).isTrue();
    }
}
