// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.script;

import io.pglock.cli.internal.Address;
import io.pglock.cli.internal.Stop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * A file of SQL. Immutable. Not API.
 *
 * @param name as it was named; {@code stdin} for {@code -}
 * @param text what is in it
 */
public record SqlFile(String name, String text) {

    private static final String BYTE_ORDER_MARK = "\uFEFF";

    /** Reads it; {@code -} is the standard input. @throws Stop when it cannot be read, or is not UTF-8 */
    public static SqlFile read(String name) {
        try {
            byte[] bytes = name.equals("-") ? System.in.readAllBytes() : Files.readAllBytes(Path.of(name));
            String shown = name.equals("-") ? "stdin" : name;
            return new SqlFile(shown, decoded(shown, bytes));
        } catch (IOException | IllegalArgumentException e) {
            throw Stop.usage(unreadable(name, e));
        }
    }

    private static String unreadable(String name, Exception failure) {
        if (Address.isIn(name)) {
            return "one of the files is the address of a server; that is written --url URL.";
        }
        return name + ": "
                + (failure instanceof NoSuchFileException
                        ? "there is no such file."
                        : "cannot be read: " + failure.getMessage());
    }

    private static String decoded(String name, byte[] bytes) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            if (text.indexOf('\0') >= 0) {
                throw Stop.usage(name + ": is not text: there is a character 0 in it.");
            }
            return text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            throw Stop.usage(name + ": is not UTF-8. Convert it first, for instance with iconv.");
        }
    }

    /**
     * Its statements, in order.
     *
     * @param strings how strings are written where it begins, and then where it ends
     * @throws Stop naming the line, when there is something in it that cannot be run
     */
    List<SqlStatement> statements(StringSyntax strings) {
        return new SqlText(name, text, strings).statements();
    }
}
