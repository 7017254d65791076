// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.LockKey;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How configuration spells what an advisory lock is on: {@code nightly-report}, {@code 42} or {@code 7:42}. */
final class AdvisoryKeys {

    private static final Pattern NUMBER = Pattern.compile("[+-]?\\d+");
    private static final Pattern PAIR = Pattern.compile("([+-]?\\d+)\\s*:\\s*([+-]?\\d+)");

    private AdvisoryKeys() {}

    /** @throws IllegalArgumentException when it is a number that is too large, or nothing */
    static LockKey read(String text) {
        Matcher pair = PAIR.matcher(text);
        try {
            if (pair.matches()) {
                return LockKey.of(Integer.parseInt(pair.group(1)), Integer.parseInt(pair.group(2)));
            }
            if (NUMBER.matcher(text).matches()) {
                return LockKey.of(Long.parseLong(text));
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    Keys.ADVISORY + "=" + text
                            + ": is larger than PostgreSQL's keys, which are one number of 64 bits or"
                            + " two of 32 bits; use a smaller one, or a name with a letter in it",
                    e);
        }
        return LockKey.named(text);
    }
}
