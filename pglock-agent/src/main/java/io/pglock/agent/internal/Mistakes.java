// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** What is wrong with the settings, all of it, to be told at once. Not thread-safe. */
final class Mistakes {

    private static final String PREFIX = "pglock: ";

    /** Settings with mistakes in them. */
    static final class IllegalSettings extends IllegalArgumentException {

        private static final long serialVersionUID = 1;

        private final ArrayList<String> mistakes;

        IllegalSettings(List<String> mistakes) {
            super(mistakes.stream().collect(Collectors.joining("; ", PREFIX, "")));
            this.mistakes = new ArrayList<>(mistakes);
        }

        List<String> mistakes() {
            return List.copyOf(mistakes);
        }
    }

    private final List<String> texts = new ArrayList<>();

    void add(String text) {
        texts.add(plain(text));
    }

    void addAll(Collection<String> others) {
        texts.addAll(others);
    }

    /** What the reading yields; empty where it is a mistake. */
    <T> Optional<T> read(Supplier<T> reading) {
        try {
            return Optional.of(reading.get());
        } catch (IllegalArgumentException e) {
            add(String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    /** The same for a reading that names several: each counts by itself. */
    <T> Optional<T> readAll(Supplier<T> reading) {
        try {
            return Optional.of(reading.get());
        } catch (IllegalSettings e) {
            addAll(e.mistakes());
            return Optional.empty();
        }
    }

    boolean isEmpty() {
        return texts.isEmpty();
    }

    List<String> texts() {
        return texts.stream().distinct().toList();
    }

    /** @throws IllegalSettings naming them all, if there are any */
    void raise() {
        if (!texts.isEmpty()) {
            throw new IllegalSettings(texts());
        }
    }

    private static String plain(String text) {
        return text.startsWith(PREFIX) ? text.substring(PREFIX.length()) : text;
    }
}
