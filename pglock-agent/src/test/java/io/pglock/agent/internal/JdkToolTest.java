// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class JdkToolTest {

    @Test
    void isKnownByItsModule() {
        assertThat(JdkTool.isTool("jdk.compiler")).isTrue();
        assertThat(JdkTool.isTool("java.base")).isTrue();
        assertThat(JdkTool.isTool("com.acme.modular")).isFalse();
        assertThat(JdkTool.isTool("javax.acme")).isFalse();
    }

    @Test
    void whatStandsOnTheClassPathIsNone() {
        assertThat(JdkTool.isTool(null)).isFalse();
    }
}
