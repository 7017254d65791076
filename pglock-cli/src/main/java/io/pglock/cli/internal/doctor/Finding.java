// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.doctor;

import io.pglock.cli.internal.Printable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * One thing that was looked at. Not API.
 *
 * @param level how bad it is
 * @param check what was looked at, a word that stays the same: {@code pooler}
 * @param says how it is
 * @param remedy what helps, an SQL statement where one does
 */
public record Finding(Level level, String check, String says, Optional<String> remedy) {

    private static final String INDENT = " ".repeat(6);

    /** From fine to what has to be put right first. */
    public enum Level {
        /** As it should be. */
        OK,
        /** Something goes less well, or may stop the next migration. */
        WARN,
        /** Something does not work. */
        BAD;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    static Finding ok(String check, String says) {
        return new Finding(Level.OK, check, says, Optional.empty());
    }

    static Finding warn(String check, String says, String remedy) {
        return new Finding(Level.WARN, check, says, Optional.of(remedy));
    }

    static Finding bad(String check, String says, String remedy) {
        return new Finding(Level.BAD, check, says, Optional.of(remedy));
    }

    /** For a terminal. */
    public List<String> lines() {
        String first = Printable.of(String.format(Locale.ROOT, "%-5s %s: %s", level, check, says));
        return remedy.map(text -> List.of(first, INDENT + Printable.of(text))).orElse(List.of(first));
    }

    /** For a program. */
    public Map<String, Object> asMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("level", level);
        map.put("check", check);
        map.put("says", says);
        map.put("remedy", remedy);
        return map;
    }
}
