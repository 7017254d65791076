// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

/** What kind of value an attribute has, and so which operators it knows and how its values are written. Not API. */
public enum Kind {
    /** A text that is compared as it is. */
    TEXT("text"),
    /** A text that tells one thing from another; a number in it is no more than a part of its name. */
    ID("text without order"),
    /** One of PostgreSQL's words; neither case nor {@code _} nor spaces matter. */
    WORD("word"),
    /** A lock mode; a stronger one is greater. */
    MODE("mode"),
    NUMBER("number"),
    FLAG("true or false"),
    DURATION("duration"),
    INSTANT("instant"),
    /** Process ids. */
    PIDS("pids"),
    /** Keys with texts. */
    MAP("keys and values");

    private final String words;

    Kind(String words) {
        this.words = words;
    }

    /** Whether one value can be greater than another. */
    boolean isOrdered() {
        return this != ID && this != PIDS && this != MAP && this != FLAG;
    }

    /** Whether it can be searched for a part of its text. */
    boolean isText() {
        return this == TEXT || this == ID || this == WORD || this == MODE || this == MAP;
    }

    @Override
    public String toString() {
        return words;
    }
}
