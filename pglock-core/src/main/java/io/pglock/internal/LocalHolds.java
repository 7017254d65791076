// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Who of this JVM holds one key: one owner as its writer, any number as its readers, each as often as they have acquired it. Used
 * by the client's thread only. Not API.
 */
final class LocalHolds {

    private final List<ClientHold> writer = new ArrayList<>(1);
    private final Map<Owner, List<ClientHold>> readers = new HashMap<>(2);

    boolean isEmpty() {
        return writer.isEmpty() && readers.isEmpty();
    }

    boolean hasWriter() {
        return !writer.isEmpty();
    }

    boolean isWriter(Owner owner) {
        return !writer.isEmpty() && writer.get(0).ownedBy().equals(owner);
    }

    boolean isReader(Owner owner) {
        return readers.containsKey(owner);
    }

    void add(ClientHold hold) {
        if (hold.isShared()) {
            readers.computeIfAbsent(hold.ownedBy(), owner -> new ArrayList<>(1)).add(hold);
        } else {
            writer.add(hold);
        }
    }

    /** @return whether it was there */
    boolean remove(ClientHold hold) {
        if (!hold.isShared()) {
            return writer.remove(hold);
        }
        List<ClientHold> holds = readers.getOrDefault(hold.ownedBy(), List.of());
        boolean removed = !holds.isEmpty() && holds.remove(hold);
        if (removed && holds.isEmpty()) {
            readers.remove(hold.ownedBy());
        }
        return removed;
    }

    List<ClientHold> all() {
        List<ClientHold> all = new ArrayList<>(writer);
        readers.values().forEach(all::addAll);
        return all;
    }

    List<Owner> owners() {
        List<Owner> owners = new ArrayList<>(readers.keySet());
        writer.stream().limit(1).map(ClientHold::ownedBy).forEach(owners::add);
        return owners;
    }

    void clear() {
        writer.clear();
        readers.clear();
    }
}
