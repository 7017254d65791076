// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ByteSearchTest {

    private static final List<String> WORDS = List.of("Lio/pglock/annotation/With", "Lcom/acme/Marker;");

    private static boolean finds(List<String> words, String text) {
        return new ByteSearch(words).isIn(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    @Test
    void findsAnyOfItsWordsWhereverItStands() {
        for (String word : WORDS) {
            assertThat(finds(WORDS, word)).isTrue();
            assertThat(finds(WORDS, "x" + word)).isTrue();
            assertThat(finds(WORDS, word + "x")).isTrue();
            assertThat(finds(WORDS, "LLio/pglock/annotation/Wit" + word)).isTrue();
        }
    }

    @Test
    void findsNothingElse() {
        assertThat(finds(WORDS, "")).isFalse();
        assertThat(finds(WORDS, "Lio/pglock/annotation/Wit")).isFalse();
        assertThat(finds(WORDS, "lio/pglock/annotation/With")).isFalse();
        assertThat(finds(WORDS, "Lcom/acme/Marker")).isFalse();
        assertThat(finds(List.of(), "Lcom/acme/Marker;")).isFalse();
    }

    @Test
    void knowsLettersThatAreMoreThanAByte() {
        byte[] file = "..Lcom/acme/Überprüft;..".getBytes(StandardCharsets.UTF_8);

        assertThat(new ByteSearch(List.of("Lcom/acme/Überprüft;")).isIn(file)).isTrue();
        assertThat(new ByteSearch(List.of("Lcom/acme/Ueberprueft;")).isIn(file)).isFalse();
    }

    @Test
    void agreesWithAPlainSearchOnAnything() {
        Random random = new Random(20261126);
        for (int round = 0; round < 20_000; round++) {
            String text = letters(random, random.nextInt(12));
            List<String> words =
                    List.of(letters(random, 1 + random.nextInt(3)), letters(random, 1 + random.nextInt(4)));

            assertThat(finds(words, text))
                    .as("%s in %s", words, text)
                    .isEqualTo(words.stream().anyMatch(text::contains));
        }
    }

    private static String letters(Random random, int length) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.append((char) ('a' + random.nextInt(3)));
        }
        return text.toString();
    }
}
