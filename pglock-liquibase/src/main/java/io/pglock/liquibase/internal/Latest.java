// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import java.lang.ref.WeakReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What was made of the object that was asked about last: Liquibase comes to all that is in one changelog before it comes to
 * another. By identity, because to Liquibase two changelogs of one path are the same, whatever stands in them. Thread-safe.
 */
final class Latest<K, V> {

    private record Entry<K, V>(WeakReference<K> key, V value) {}

    private final Function<K, V> making;
    private volatile @Nullable Entry<K, V> latest;

    Latest(Function<K, V> making) {
        this.making = making;
    }

    V of(K key) {
        @Nullable Entry<K, V> entry = latest;
        if (entry == null || !entry.key().refersTo(key)) {
            entry = new Entry<>(new WeakReference<>(key), making.apply(key));
            latest = entry;
        }
        return entry.value();
    }
}
