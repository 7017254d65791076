// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a table, view or materialized view, with its schema or to be found on the {@code search_path}. It is always
 * quoted when it goes into SQL. Immutable and thread-safe.
 *
 * {@snippet :
 * TableName.parse("Billing.Invoices"); // billing.invoices, as PostgreSQL reads it
 * TableName.parse("\"Order \"\"lines\"\"\""); // Order "lines", as PostgreSQL reads it
 * TableName.of("billing", "Invoices"); // exactly that
 * }
 *
 * @param schema its schema, exactly as in {@code pg_namespace}
 * @param name its name, exactly as in {@code pg_class}
 * @see <a href="https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS">Identifiers and Key
 *     Words</a>
 */
public record TableName(Optional<String> schema, String name) {

    private static final Pattern PART =
            Pattern.compile("\"((?:[^\"\\x00]|\"\")+)\"|([A-Za-z_\\x80-\\x{10FFFF}][A-Za-z0-9_$\\x80-\\x{10FFFF}]*)");
    private static final Pattern PLAIN = Pattern.compile("[a-z_][a-z0-9_]*");

    /**
     * Every name that PostgreSQL can hold is right, whatever characters are in it.
     *
     * @throws IllegalArgumentException when the schema or the name is empty or contains the character 0
     */
    public TableName {
        schema.ifPresent(TableName::check);
        check(name);
    }

    /** This table, found on the {@code search_path}; the name as it is, neither folded to lower case nor unquoted. */
    public static TableName of(String name) {
        return new TableName(Optional.empty(), name);
    }

    /** This table in this schema; both as they are, neither folded to lower case nor unquoted. */
    public static TableName of(String schema, String name) {
        return new TableName(Optional.of(schema), name);
    }

    /**
     * Reads {@code table} or {@code schema.table} as PostgreSQL does in a statement: without quotes the ASCII letters are folded
     * to lower case, within {@code "quotes"} everything stays as it is and {@code ""} is one quote.
     *
     * @throws IllegalArgumentException when it is not such a name; the message says how to quote it
     */
    public static TableName parse(String text) {
        List<String> parts = new ArrayList<>();
        Matcher part = PART.matcher(text);
        int at = 0;
        while (at <= text.length()) {
            part.region(at, text.length());
            if (!part.lookingAt()) {
                throw bad(text);
            }
            String quoted = part.group(1);
            parts.add(quoted == null ? lowerCase(part.group(2)) : quoted.replace("\"\"", "\""));
            at = part.end();
            if (at == text.length()) {
                break;
            }
            if (text.charAt(at) != '.') {
                throw bad(text);
            }
            at++;
        }
        return switch (parts.size()) {
            case 1 -> of(parts.get(0));
            case 2 -> of(parts.get(0), parts.get(1));
            default -> throw bad(text);
        };
    }

    private static IllegalArgumentException bad(String text) {
        return new IllegalArgumentException(
                "Not the name of a table: <" + text + ">. Write table or schema.table, names with"
                        + " other characters than letters, digits, _ and $ in double quotes, or use TableName.of(name).");
    }

    /** ASCII only, as PostgreSQL does it: another locale's idea of lower case would name another table. */
    private static String lowerCase(String text) {
        StringBuilder folded = new StringBuilder(text.length());
        text.chars().forEach(c -> folded.append((char) (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c)));
        return folded.toString();
    }

    private static void check(String name) {
        if (name.isEmpty() || name.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("PostgreSQL has no empty names and none with the character 0.");
        }
    }

    /** As it goes into SQL: {@code "billing"."invoices"}. */
    public String sql() {
        return schema.map(value -> Text.identifier(value) + ".").orElse("") + Text.identifier(name);
    }

    /** As one would write it: {@code billing.invoices}, {@code "Order ""lines"""}. */
    @Override
    public String toString() {
        return schema.map(value -> shown(value) + ".").orElse("") + shown(name);
    }

    private static String shown(String name) {
        return PLAIN.matcher(name).matches() ? name : Text.identifier(name);
    }
}
