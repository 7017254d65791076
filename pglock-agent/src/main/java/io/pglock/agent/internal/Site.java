// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.lang.ref.WeakReference;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One woven method: what it gets, and what it returns where it is skipped. Thread-safe. */
public final class Site {

    private final int id;
    private final WeakReference<ClassLoader> loader;
    private final String name;
    private final Spec spec;
    private final Timeouts timeouts;
    private final SkipValue skipped;
    private final Optional<String> refusal;
    private final Counters counters;
    private final boolean retries;
    /** Found with the first call; empty where its class sees no Spring. */
    private volatile @Nullable WeakReference<Class<?>> springsTransactions;

    /** @param name as messages call it */
    Site(
            int id,
            ClassLoader loader,
            String name,
            Spec spec,
            SkipValue skipped,
            Optional<String> refusal,
            Counters counters) {
        this.id = id;
        this.loader = new WeakReference<>(loader);
        this.name = name;
        this.spec = spec;
        this.timeouts = Timeouts.of(spec);
        this.skipped = skipped;
        this.refusal = refusal;
        this.counters = counters;
        this.retries = spec.retries();
    }

    int id() {
        return id;
    }

    /** Of the class; null when that is gone. */
    public @Nullable ClassLoader loader() {
        return loader.get();
    }

    /** Where Spring keeps its transactions; null where the class sees no Spring. */
    @Nullable Class<?> springsTransactions() {
        WeakReference<Class<?>> found = springsTransactions;
        if (found == null) {
            found = new WeakReference<>(findSpringsTransactions());
            springsTransactions = found;
        }
        return found.get();
    }

    private @Nullable Class<?> findSpringsTransactions() {
        try {
            return Class.forName(SpringTransactions.MANAGER, false, loader());
        } catch (ClassNotFoundException | LinkageError e) {
            return null;
        }
    }

    /** As messages call it: {@code com.acme.Migrator.run}. */
    public String name() {
        return name;
    }

    /** How often what has happened at it. */
    public Counters counters() {
        return counters;
    }

    public Spec spec() {
        return spec;
    }

    /** What its statements run with. */
    public Timeouts timeouts() {
        return timeouts;
    }

    /** Whether the whole method is tried again. */
    public boolean retries() {
        return retries;
    }

    /** Why it must not run at all. */
    Optional<String> refusal() {
        return refusal;
    }

    /** What it returns where it is skipped. */
    @Nullable Object skippedValue() {
        return skipped.value();
    }
}
