// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WidthTest {

    @Test
    void isWhatATerminalTakesAndNotHowManyCharactersThereAre() {
        assertThat(Width.of("")).isZero();
        assertThat(Width.of("Größe └─ 5 µs")).isEqualTo(13);
        assertThat(Width.of("商品")).isEqualTo(4);
        assertThat(Width.of("a😀b")).isEqualTo(4);
        assertThat(Width.of("e\u0301")).as("an e, and its accent above it").isEqualTo(1);
    }

    @Test
    void aCharacterIsNotCutInTwo() {
        assertThat(Width.cut("商品", 3)).isEqualTo("商");
        assertThat(Width.cut("a😀b", 2)).isEqualTo("a");
        assertThat(Width.cut("a😀b", 3)).isEqualTo("a😀");
        assertThat(Width.cut("ab", 5)).isEqualTo("ab");
        assertThat(Width.cut("ab", 0)).isEmpty();
        assertThat(Width.padded("商", 4)).isEqualTo("商  ");
        assertThat(Width.padded("商品", 3)).isEqualTo("商品");
    }
}
