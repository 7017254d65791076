// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Values by keys that it does not keep, and that are themselves and nothing else. Finding one waits for nobody: every statement
 * of every thread does, while any method is guarded. A value must not keep its key. Thread-safe.
 */
final class WeakKeys<K, V> {

    private final ConcurrentHashMap<Object, V> values = new ConcurrentHashMap<>();
    private final ReferenceQueue<K> gone = new ReferenceQueue<>();

    /** In the map. */
    private static final class Key<K> extends WeakReference<K> {
        private final int hash;

        Key(K key, ReferenceQueue<K> gone) {
            super(key, gone);
            this.hash = System.identityHashCode(key);
        }

        @Override
        public int hashCode() {
            return hash;
        }

        /** Two that have lost theirs are not the same. */
        @Override
        public boolean equals(@Nullable Object other) {
            return this == other || other instanceof Key<?> key && isOf(key.get());
        }

        private boolean isOf(@Nullable Object wanted) {
            return wanted != null && get() == wanted;
        }
    }

    /** What is looked for: no reference that a collection of garbage has to look after. */
    private record Wanted(Object key) {

        @Override
        public int hashCode() {
            return System.identityHashCode(key);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key<?> in && in.isOf(key);
        }
    }

    @Nullable V get(K key) {
        return values.get(new Wanted(key));
    }

    V computeIfAbsent(K key, Function<K, V> made) {
        V there = get(key);
        if (there != null) {
            return there;
        }
        forgetTheGone();
        return values.computeIfAbsent(new Key<>(key, gone), absent -> made.apply(key));
    }

    void put(K key, V value) {
        forgetTheGone();
        values.put(new Key<>(key, gone), value);
    }

    void remove(K key) {
        values.remove(new Wanted(key));
    }

    /** Those that are there, as they come and go. */
    Collection<V> values() {
        return values.values();
    }

    /** Those that are there. */
    List<K> keys() {
        List<K> keys = new ArrayList<>();
        for (Object each : values.keySet()) {
            @SuppressWarnings("unchecked")
            K key = ((Key<K>) each).get();
            if (key != null) {
                keys.add(key);
            }
        }
        return keys;
    }

    private void forgetTheGone() {
        for (Reference<? extends K> one = gone.poll(); one != null; one = gone.poll()) {
            values.remove(one);
        }
    }
}
