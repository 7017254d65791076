// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** How a filter compares. Not API. */
enum Operator {
    EXACT,
    IEXACT,
    NE,
    GT,
    GTE,
    LT,
    LTE,
    IN,
    ISNULL,
    CONTAINS,
    ICONTAINS,
    STARTSWITH,
    ISTARTSWITH,
    ENDSWITH,
    IENDSWITH,
    REGEX,
    IREGEX;

    static Optional<Operator> named(String name) {
        return Arrays.stream(values())
                .filter(operator -> operator.toString().equals(name.toLowerCase(Locale.ROOT)))
                .findFirst();
    }

    /** Those that make sense for such values. */
    static List<String> of(Kind kind) {
        return Arrays.stream(values())
                .filter(operator -> operator.suits(kind))
                .map(Operator::toString)
                .toList();
    }

    boolean suits(Kind kind) {
        return switch (this) {
            case EXACT, NE, IN -> kind != Kind.MAP;
            case ISNULL -> true;
            case GT, GTE, LT, LTE -> kind.isOrdered();
            case CONTAINS -> kind.isText() || kind == Kind.PIDS;
            case IEXACT -> kind.isText() && kind != Kind.MAP;
            default -> kind.isText();
        };
    }

    /** Whether it compares with one whole text. */
    boolean isOfWhole() {
        return this == EXACT || this == IEXACT || this == NE;
    }

    /** Whether it is true of every point in time before its value. */
    boolean isOfEarlier() {
        return this == LT || this == LTE || this == NE;
    }

    /** Whether it asks for a part of a text: every text has an empty one. */
    boolean isOfPart() {
        return switch (this) {
            case CONTAINS, ICONTAINS, STARTSWITH, ISTARTSWITH, ENDSWITH, IENDSWITH, REGEX, IREGEX -> true;
            default -> false;
        };
    }

    boolean ignoresCase() {
        return switch (this) {
            case IEXACT, ICONTAINS, ISTARTSWITH, IENDSWITH, IREGEX -> true;
            default -> false;
        };
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
