// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.keys;

import io.pglock.LockKey;
import io.pglock.LockTarget;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Names for advisory keys. A key is a number, and the name that it was made of cannot be told from it: so those are named that are
 * known, by the user's own list or for being some tool's. Immutable. Not API.
 */
public final class KeyNames {

    private final Map<LockKey, LockKey> named;
    private final Map<LockKey, String> names;

    private KeyNames(Map<LockKey, LockKey> named, Map<LockKey, String> names) {
        this.named = named;
        this.names = names;
    }

    /** With these names, each of which stands for the number that {@link LockKey#named} gives it. */
    public static KeyNames of(Collection<String> names) {
        Map<LockKey, LockKey> named = new HashMap<>();
        Map<LockKey, String> texts = new HashMap<>();
        for (String name : names) {
            named.put(LockKey.named(name), LockKey.named(name));
            texts.put(LockKey.named(name), name);
        }
        return new KeyNames(Map.copyOf(named), Map.copyOf(texts));
    }

    /** The same, with its advisory key called by the user's own name for it. */
    public LockTarget named(LockTarget target) {
        return target.advisoryKey()
                .flatMap(key -> Optional.ofNullable(named.get(key)))
                .map(key -> new LockTarget(
                        target.type(),
                        target.database(),
                        target.schema(),
                        target.relation(),
                        target.relationKind(),
                        target.relationOid(),
                        target.ctid(),
                        Optional.of(key),
                        target.transaction(),
                        target.object()))
                .orElse(target);
    }

    /** What its advisory key is called: the user's own name for it, or else whose it is. */
    public Optional<String> name(LockTarget target) {
        return target.advisoryKey()
                .flatMap(key -> Optional.ofNullable(names.get(key)))
                .or(() -> owner(target));
    }

    /** Whose key it is, where that is known: {@code Prisma Migrate}. */
    public Optional<String> owner(LockTarget target) {
        return target.advisoryKey().flatMap(key -> KnownKeys.owner(key, target.database()));
    }
}
