// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.Iterator;
import java.util.Map;
import java.util.Optional;

/**
 * A value as JSON on one line (RFC 8259): maps, iterables, texts, numbers, truth values, {@link Optional}s. Core has no
 * dependencies, and this is all it needs. Not API.
 */
public final class Json {

    private Json() {}

    public static String of(Object value) {
        StringBuilder json = new StringBuilder();
        write(value, json);
        return json.toString();
    }

    private static void write(Object value, StringBuilder json) {
        if (value instanceof Optional<?> optional) {
            if (optional.isPresent()) {
                write(optional.get(), json);
            } else {
                json.append("null");
            }
        } else if (value instanceof Map<?, ?> map) {
            json.append('{');
            for (Iterator<? extends Map.Entry<?, ?>> entries = map.entrySet().iterator(); entries.hasNext(); ) {
                Map.Entry<?, ?> entry = entries.next();
                text(String.valueOf(entry.getKey()), json);
                json.append(':');
                write(entry.getValue(), json);
                json.append(entries.hasNext() ? "," : "");
            }
            json.append('}');
        } else if (value instanceof Iterable<?> values) {
            json.append('[');
            for (Iterator<?> each = values.iterator(); each.hasNext(); ) {
                write(each.next(), json);
                json.append(each.hasNext() ? "," : "");
            }
            json.append(']');
        } else if (value instanceof Number || value instanceof Boolean) {
            json.append(value);
        } else {
            text(String.valueOf(value), json);
        }
    }

    private static void text(String text, StringBuilder json) {
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> json.append('\\').append(c);
                case '\n' -> json.append("\\n");
                case '\r' -> json.append("\\r");
                case '\t' -> json.append("\\t");
                default -> {
                    if (c < ' ') {
                        json.append(String.format("\\u%04x", (int) c));
                    } else {
                        json.append(c);
                    }
                }
            }
        }
        json.append('"');
    }
}
