// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class FindingsTest {

    @Test
    void whoeverIsStillInTheWayIsNotForgotten() {
        Map<Integer, String> remembered = Findings.rememberingWhatIsUsed();
        for (int i = 0; i < 3_000; i++) {
            remembered.put(i, "somebody");
            assertThat(remembered.get(0)).isEqualTo("somebody");
        }
        assertThat(remembered).hasSize(1_000).containsKey(2_999).doesNotContainKey(1);
    }

    @Test
    void onlyTheLatestWarningsAreRemembered() {
        Findings findings = new Findings();
        for (int i = 0; i < 3_000; i++) {
            findings.warning("warning " + i);
        }
        assertThat(findings.warnings())
                .hasSize(1_000)
                .startsWith("warning 2000")
                .endsWith("warning 2999");
    }
}
