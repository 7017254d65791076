// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import io.pglock.LockInfo;
import io.pglock.LockKey;
import io.pglock.LockMode;
import io.pglock.LockTarget;
import io.pglock.cli.internal.keys.KeyNames;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/** What can be known of a lock, and of how somebody is in its way. Stateless. */
final class LockAttributes {

    /** Of the lock. */
    static final List<Attribute> ALL = List.of(
            of(
                    "activity_id",
                    Kind.NUMBER,
                    "PID",
                    "whose it is: the process id; 0 is a prepared transaction",
                    lock -> Optional.of((long) lock.backend().pid())),
            of("granted", Kind.FLAG, "GRANTED", "held, or waited for", lock -> Optional.of(lock.granted())),
            of(
                    "mode",
                    Kind.MODE,
                    "MODE",
                    "how strong it is",
                    words(LockMode.values()),
                    lock -> Optional.of(lock.mode())),
            of("wait_start", Kind.INSTANT, "WAITS SINCE", "since when it is waited for", LockInfo::waitStart),
            of("wait_duration", Kind.DURATION, "WAITED", "for how long", LockInfo::waited),
            of(
                    "type",
                    Kind.WORD,
                    "TYPE",
                    "what kind of thing is locked",
                    words(LockTarget.Type.values()),
                    lock -> Optional.of(word(lock.target().type()))),
            new Attribute(
                    "target",
                    Kind.TEXT,
                    "TARGET",
                    "what is locked, in words",
                    List.of(),
                    row -> Optional.of(describe(row.lock().target(), row.names()))),
            ofTarget("database", Kind.TEXT, "DATABASE", "the database it is in", LockTarget::database),
            ofTarget("schema", Kind.TEXT, "SCHEMA", "the relation's schema", LockTarget::schema),
            ofTarget("rel_name", Kind.TEXT, "RELATION", "the relation: a table, an index ...", LockTarget::relation),
            of(
                    "rel_kind",
                    Kind.WORD,
                    "KIND",
                    "what kind of relation",
                    words(LockTarget.RelationKind.values()),
                    lock -> lock.target().relationKind().map(LockAttributes::word)),
            ofTarget("rel_oid", Kind.NUMBER, "OID", "the relation's OID", LockTarget::relationOid),
            ofTarget("ctid", Kind.ID, "ROW", "the row, by its place in the table", LockTarget::ctid),
            ofTarget(
                    "key",
                    Kind.ID,
                    "KEY",
                    "the key of an advisory lock",
                    target -> target.advisoryKey().map(LockKey::toString)),
            new Attribute(
                    "key_name",
                    Kind.TEXT,
                    "KEY NAME",
                    "what that key is called, where that is known",
                    List.of(),
                    row -> row.names().name(row.lock().target())),
            ofTarget(
                    "transaction",
                    Kind.ID,
                    "TRANSACTION",
                    "the transaction whose end others wait for",
                    LockTarget::transaction),
            ofTarget("object", Kind.TEXT, "OBJECT", "what else is locked", LockTarget::object),
            of(
                    "fast_path",
                    Kind.FLAG,
                    "FAST PATH",
                    "held in the session's own memory",
                    lock -> Optional.of(lock.fastPath())),
            new Attribute(
                    "blocked_by",
                    Kind.PIDS,
                    "BLOCKED BY",
                    "everybody in its way",
                    List.of(),
                    row -> Optional.of(row.blockedBy()).filter(pids -> !pids.isEmpty())));

    /** Of somebody in its way. */
    static final List<Attribute> OF_BLOCKER = List.of(
            new Attribute(
                    "blocking_activity_id",
                    Kind.NUMBER,
                    "BLOCKER",
                    "who is in its way: the process id; 0 is a prepared transaction",
                    List.of(),
                    row -> row.blocker().map(blocker -> (long) blocker.backend().pid())),
            new Attribute(
                    "blocking_hard",
                    Kind.FLAG,
                    "HARD",
                    "whether that one holds a conflicting lock, and is not merely queued ahead",
                    List.of(),
                    row -> row.blocker().map(blocker -> blocker.hard())),
            new Attribute(
                    "blocking_modes",
                    Kind.TEXT,
                    "HOLDS",
                    "the modes of the conflicting locks it holds",
                    List.of(),
                    row -> row.blocker().filter(blocker -> blocker.hard()).map(blocker -> blocker.modes())));

    private LockAttributes() {}

    private static String describe(LockTarget target, KeyNames names) {
        String text = names.named(target).describe();
        return names.owner(target).map(owner -> text + " (" + owner + ")").orElse(text);
    }

    private static Attribute ofTarget(
            String name, Kind kind, String heading, String meaning, Function<LockTarget, ? extends Optional<?>> value) {
        return of(name, kind, heading, meaning, lock -> value.apply(lock.target()));
    }

    private static Attribute of(
            String name, Kind kind, String heading, String meaning, Function<LockInfo, ? extends Optional<?>> value) {
        return of(name, kind, heading, meaning, List.of(), value);
    }

    private static Attribute of(
            String name,
            Kind kind,
            String heading,
            String meaning,
            List<String> words,
            Function<LockInfo, ? extends Optional<?>> value) {
        return new Attribute(name, kind, heading, meaning, words, row -> value.apply(row.lock()));
    }

    private static List<String> words(Enum<?>[] values) {
        return Stream.of(values).map(LockAttributes::word).toList();
    }

    private static String word(Enum<?> value) {
        return value instanceof LockMode mode
                ? mode.sql()
                : value.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
