// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** How a server shows the name of an application or a role that it was given. Stateless. Not API. */
final class ServerNames {

    /** PostgreSQL's NAMEDATALEN less one, in bytes. */
    static final int LONGEST = 63;

    /**
     * The encodings of databases that PostgreSQL has, by their names in Java. The JDK does not know LATIN6, LATIN8 and MULE_INTERNAL,
     * and of EUC_JIS_2004 only what EUC_JP has as well; a runtime without the module {@code jdk.charsets} knows fewer.
     */
    private static final List<String> ENCODINGS = List.of(("UTF-8 EUC-JP EUC-KR GB2312 x-EUC-TW"
                    + " ISO-8859-1 ISO-8859-2 ISO-8859-3 ISO-8859-4 ISO-8859-5 ISO-8859-6 ISO-8859-7 ISO-8859-8 ISO-8859-9"
                    + " ISO-8859-13 ISO-8859-15 ISO-8859-16 KOI8-R KOI8-U IBM866 x-windows-874 windows-1250 windows-1251"
                    + " windows-1252 windows-1253 windows-1254 windows-1255 windows-1256 windows-1257 windows-1258")
            .split(" "));

    private static final int FIRST_VISIBLE = 32;
    private static final int LAST_VISIBLE = 126;
    private static final int FIRST_BEYOND_ASCII = 128;

    private ServerNames() {}

    /**
     * These and every spelling in which a server may show one: cut to its length and, if it is an application's, with each byte
     * that is not a visible character of ASCII as {@code ?} or, from PostgreSQL 16 on, as {@code \xc3}; in a database of any encoding
     * that this JVM knows. Whoever happens to be called like such a spelling is meant too, which does no harm where names say whom to
     * spare.
     */
    static Set<String> spellings(Set<String> names) {
        Set<String> all = new LinkedHashSet<>(names);
        for (String name : names) {
            encodings(name).forEach(encoding -> {
                String stored = cut(name, encoding, LONGEST, 1);
                all.add(stored);
                all.addAll(shown(stored.getBytes(encoding)));
            });
            cutAnywhere(name.getBytes(StandardCharsets.UTF_8)).forEach(sent -> all.addAll(shown(sent)));
        }
        return all;
    }

    /** A name that comes with the connection is not converted, and cut as if it were in the database's encoding. */
    private static List<byte[]> cutAnywhere(byte[] sent) {
        return IntStream.rangeClosed(LONGEST - 3, LONGEST)
                .filter(length -> length < sent.length)
                .mapToObj(length -> Arrays.copyOf(sent, length))
                .toList();
    }

    /** Those that have all of its characters: a server refuses the others. Each has those of ASCII, as the same bytes. */
    private static Stream<Charset> encodings(String name) {
        return StandardCharsets.US_ASCII.newEncoder().canEncode(name)
                ? Stream.of(StandardCharsets.US_ASCII)
                : ENCODINGS.stream()
                        .filter(Charset::isSupported)
                        .map(Charset::forName)
                        .filter(encoding -> encoding.newEncoder().canEncode(name));
    }

    /**
     * As many whole characters as fit: PostgreSQL counts bytes.
     *
     * @param shownAs how many take the place of each that is not ASCII
     */
    static String cut(String name, Charset encoding, int longest, int shownAs) {
        int length = 0;
        for (int end = 0; end < name.length(); end = name.offsetByCodePoints(end, 1)) {
            int character = name.codePointAt(end);
            int bytes = Character.toString(character).getBytes(encoding).length;
            length += character < FIRST_BEYOND_ASCII ? 1 : bytes * shownAs;
            if (length > longest) {
                return name.substring(0, end);
            }
        }
        return name;
    }

    private static List<String> shown(byte[] name) {
        return List.of(cleaned(name, "?"), cleaned(name, "\\x%02x"));
    }

    private static String cleaned(byte[] name, String invisible) {
        StringBuilder cleaned = new StringBuilder();
        for (byte each : name) {
            if (each >= FIRST_VISIBLE && each <= LAST_VISIBLE) {
                cleaned.append((char) each);
            } else {
                cleaned.append(String.format(invisible, each));
            }
        }
        return cleaned.substring(0, Math.min(LONGEST, cleaned.length()));
    }
}
