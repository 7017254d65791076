// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

/** A piece of a line that looks the same from end to end. Immutable. Not API. */
public record Span(String text, Look look) {

    /** What it is; how that looks is the terminal's affair. */
    public enum Look {
        /** Nothing special. */
        PLAIN,
        /** Who is at the top of a tree, and others wait. */
        ROOT,
        /** Who waits. */
        WAITER,
        /** What leads to it, and what is not so important. */
        FAINT,
        /** What cannot go well. */
        ALARM,
        /** What something is called. */
        HEAD
    }

    /** Nothing special. */
    public static Span plain(String text) {
        return new Span(text, Look.PLAIN);
    }
}
