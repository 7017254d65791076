// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.WeakHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** The woven methods, by the number that is woven into them; those of a class loader that is gone make room. Thread-safe. */
final class Sites {

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<ClassLoader, Map<String, Site>> ofLoader = new WeakHashMap<>();
    private volatile @Nullable Site[] sites = new Site[16];

    /** The one with this number. */
    @Nullable Site get(int id) {
        return sites[id];
    }

    /** The same one for the same method, also when its class is woven anew. */
    Site register(ClassLoader loader, String key, IntFunction<Site> made) {
        lock.lock();
        try {
            return ofLoader.computeIfAbsent(loader, one -> new HashMap<>()).computeIfAbsent(key, one -> {
                int id = free();
                Site site = made.apply(id);
                @Nullable Site[] more = sites.clone();
                more[id] = site;
                sites = more; // for those who read it without the lock
                return site;
            });
        } finally {
            lock.unlock();
        }
    }

    /** All that are there. */
    List<Site> all() {
        return Arrays.stream(sites).filter(Objects::nonNull).toList();
    }

    /** The site of a method, if that is woven. */
    Optional<Site> find(@Nullable ClassLoader loader, String key) {
        lock.lock();
        try {
            return Optional.ofNullable(ofLoader.get(loader)).map(known -> known.get(key));
        } finally {
            lock.unlock();
        }
    }

    private int free() {
        @Nullable Site[] now = sites;
        for (int id = 0; id < now.length; id++) {
            Site site = now[id];
            if (site == null || site.loader() == null) {
                return id;
            }
        }
        @Nullable Site[] more = new Site[now.length * 2];
        System.arraycopy(now, 0, more, 0, now.length);
        sites = more;
        return now.length;
    }

    /** Its name among those of its class loader. */
    static String key(String className, String method, String descriptor) {
        return className + "#" + method + descriptor;
    }
}
