// SPDX-License-Identifier: Apache-2.0
package io.pglock.proof;

import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.LongAdder;

/** How often what has happened. Thread-safe. */
final class Counts {

    private final ConcurrentMap<String, LongAdder> counts = new ConcurrentHashMap<>();

    void add(String what) {
        add(what, 1);
    }

    void add(String what, long count) {
        counts.computeIfAbsent(what, absent -> new LongAdder()).add(count);
    }

    long of(String what) {
        LongAdder count = counts.get(what);
        return count == null ? 0 : count.sum();
    }

    /** Of all that begin so. */
    long ofAll(String prefix) {
        return counts.entrySet().stream()
                .filter(count -> count.getKey().startsWith(prefix))
                .mapToLong(count -> count.getValue().sum())
                .sum();
    }

    @Override
    public String toString() {
        return new TreeMap<>(counts).toString();
    }
}
