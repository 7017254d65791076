// SPDX-License-Identifier: Apache-2.0
package io.pglock.site;

/** Strings for JavaScript that stands in a file of its own. */
final class Json {

    private Json() {}

    static String string(String text) {
        var json = new StringBuilder(text.length() + 16).append('"');
        for (int i = 0; i < text.length(); i++) {
            char letter = text.charAt(i);
            if (letter == '"' || letter == '\\') {
                json.append('\\').append(letter);
            } else if (letter < ' ' || letter == '\u2028' || letter == '\u2029') {
                json.append("\\u%04x".formatted((int) letter));
            } else {
                json.append(letter);
            }
        }
        return json.append('"').toString();
    }
}
