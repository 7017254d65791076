// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TextTest {

    /** Whoever runs a query chooses its text, and an operator's terminal shows it. */
    @Test
    void whatATerminalWouldTakeForACommandIsNotShown() {
        assertThat(Text.shorten("select '\u001b[2J\u009b1m'\n\tfrom\u0007 orders", 60))
                .isEqualTo("select '?[2J?1m' from? orders");
        assertThat(Text.printable("web\u001b]0;owned\u0007")).isEqualTo("web?]0;owned?");
    }
}
