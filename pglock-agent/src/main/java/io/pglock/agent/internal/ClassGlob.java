// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.util.regex.Pattern;

/**
 * Names of classes: {@code com.acme.Migrator}, {@code com.acme.*} (the classes of the package, and those nested in them),
 * {@code com.acme.**} (those of its sub-packages as well). Immutable and thread-safe.
 */
final class ClassGlob {

    private static final Pattern FORM =
            Pattern.compile("[\\p{javaJavaIdentifierPart}*-]+(\\.[\\p{javaJavaIdentifierPart}*-]+)*");

    private final String text;
    private final String literalStart;
    private final boolean exact;
    private final Pattern pattern;

    private ClassGlob(String text) {
        this.text = text;
        int star = text.indexOf('*');
        this.exact = star < 0;
        this.literalStart = exact ? text : text.substring(0, star);
        this.pattern = pattern(text, "[^.]*");
    }

    /** @throws IllegalArgumentException saying what the right form is */
    static ClassGlob parse(String text) {
        if (!FORM.matcher(text).matches()) {
            throw new IllegalArgumentException(
                    "\"" + text + "\" is not the name of a class; write com.acme.Migrator,"
                            + " com.acme.Outer$Inner, com.acme.* (the classes of a package) or com.acme.** (with its sub-packages)");
        }
        return new ClassGlob(text);
    }

    /** What is written, with its stars: one star stands for what {@code star} matches, two for anything. */
    static Pattern pattern(String text, String star) {
        StringBuilder regex = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) != '*') {
                regex.append(Pattern.quote(text.substring(i, i + 1)));
            } else if (i + 1 < text.length() && text.charAt(i + 1) == '*') {
                regex.append(".*");
                i++;
            } else {
                regex.append(star);
            }
        }
        return Pattern.compile(regex.toString(), Pattern.DOTALL);
    }

    boolean isExact() {
        return exact;
    }

    /** How many characters are said and not left open. */
    int literals() {
        return (int) text.chars().filter(c -> c != '*').count();
    }

    /** What comes before the first star. */
    String literalStart() {
        return literalStart;
    }

    /** @param className with dots */
    boolean matches(String className) {
        return exact
                ? text.equals(className)
                : className.startsWith(literalStart)
                        && pattern.matcher(className).matches();
    }

    @Override
    public String toString() {
        return text;
    }
}
