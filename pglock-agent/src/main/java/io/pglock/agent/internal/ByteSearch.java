// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/** Looks for any of some words in the bytes of a class file. Immutable. */
final class ByteSearch {

    private final List<byte[]> words;
    private final boolean[] lasts = new boolean[256];
    private final int shortest;

    ByteSearch(Collection<String> words) {
        this.words = words.stream()
                .map(word -> word.getBytes(StandardCharsets.UTF_8))
                .toList();
        this.words.forEach(word -> lasts[word[word.length - 1] & 0xff] = true);
        this.shortest = this.words.stream().mapToInt(word -> word.length).min().orElse(Integer.MAX_VALUE);
    }

    boolean isIn(byte[] file) {
        for (int end = shortest - 1; end < file.length; end++) {
            if (lasts[file[end] & 0xff] && anyEndsAt(file, end)) {
                return true;
            }
        }
        return false;
    }

    private boolean anyEndsAt(byte[] file, int end) {
        for (byte[] word : words) {
            int begin = end + 1 - word.length;
            if (begin >= 0 && Arrays.equals(file, begin, end + 1, word, 0, word.length)) {
                return true;
            }
        }
        return false;
    }
}
