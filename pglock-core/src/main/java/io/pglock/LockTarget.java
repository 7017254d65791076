// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.Text;
import java.util.Locale;
import java.util.Optional;

/**
 * What a lock is on, as a row of {@code pg_locks} says it, with the names where they can be known: those of other databases
 * cannot, there is only the OID. Immutable and thread-safe.
 *
 * <p>Who waits for a row of a table waits for the <em>transaction</em> that changed it. Then this is a {@link
 * Type#TRANSACTIONID} whose {@link #relation()} and {@link #ctid()} tell which row it is about.
 *
 * {@snippet :
 * info.target().describe(); // orders | row (0,7) of orders | transaction 739 (row (0,7) of orders) | advisory lock 42
 * }
 *
 * @param type what kind of thing is locked
 * @param database the database it is in; empty for what all databases share, and for transactions
 * @param schema the schema of the relation
 * @param relation the relation: a table, an index, a view ...; empty in other databases
 * @param relationKind what kind of relation; empty where its name is not known either
 * @param relationOid the relation's OID; only together with the database it names a relation
 * @param ctid the row, by its place in the table: {@code (0,7)}
 * @param advisoryKey the key of an advisory lock; belongs to {@code database}
 * @param transaction the id, or for {@link Type#VIRTUALXID} the virtual id, of the transaction
 * @param object what else is locked, in PostgreSQL's words: {@code schema billing}, {@code page 12}
 * @see <a href="https://www.postgresql.org/docs/current/view-pg-locks.html">pg_locks</a>
 */
public record LockTarget(
        Type type,
        Optional<String> database,
        Optional<String> schema,
        Optional<String> relation,
        Optional<RelationKind> relationKind,
        Optional<Long> relationOid,
        Optional<String> ctid,
        Optional<LockKey> advisoryKey,
        Optional<String> transaction,
        Optional<String> object) {

    /** {@code pg_locks.locktype}. */
    public enum Type {
        /** A table, index, view, sequence ... */
        RELATION,
        /** Making a relation longer. */
        EXTEND,
        /** The oldest transaction ids of a database. */
        FROZENID,
        /** A page of an index. */
        PAGE,
        /** A row of a table, while its changer is waited for: who holds it is the first of the queue. */
        TUPLE,
        /** The end of a transaction; row locks are waited for this way. */
        TRANSACTIONID,
        /** The end of a transaction that may have changed nothing, as {@code CREATE INDEX CONCURRENTLY} waits for it. */
        VIRTUALXID,
        /** An {@code INSERT ... ON CONFLICT} that is not certain yet. */
        SPECTOKEN,
        /** A schema, type, function, role, database ... */
        OBJECT,
        /** Obsolete. */
        USERLOCK,
        /** An advisory lock. */
        ADVISORY,
        /** A remote transaction, applied by a logical replication worker. */
        APPLYTRANSACTION,
        /** One that this version of pglock does not know. */
        OTHER;

        /** The type that {@code pg_locks.locktype} spells so. */
        public static Type ofPgLocks(String locktype) {
            for (Type type : values()) {
                if (type.name().toLowerCase(Locale.ROOT).equals(locktype)) {
                    return type;
                }
            }
            return OTHER;
        }
    }

    /** {@code pg_class.relkind}. */
    public enum RelationKind {
        /** An ordinary table. */
        TABLE('r'),
        /** An index. */
        INDEX('i'),
        /** A sequence. */
        SEQUENCE('S'),
        /** Where a table keeps its large values. */
        TOAST_TABLE('t'),
        /** A view. */
        VIEW('v'),
        /** A materialized view. */
        MATERIALIZED_VIEW('m'),
        /** A composite type. */
        COMPOSITE_TYPE('c'),
        /** A table of another server. */
        FOREIGN_TABLE('f'),
        /** A table that consists of partitions. */
        PARTITIONED_TABLE('p'),
        /** An index that consists of those of the partitions. */
        PARTITIONED_INDEX('I'),
        /** One that this version of pglock does not know. */
        OTHER('?');

        private final char relkind;

        RelationKind(char relkind) {
            this.relkind = relkind;
        }

        /** The kind that {@code pg_class.relkind} spells so. */
        public static RelationKind ofPgClass(String relkind) {
            for (RelationKind kind : values()) {
                if (relkind.equals(String.valueOf(kind.relkind))) {
                    return kind;
                }
            }
            return OTHER;
        }

        /** In words: {@code materialized view}. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    /** In words: {@code orders}, {@code row (0,7) of orders}, {@code advisory lock 42}; tables of {@code public} by their name only. */
    public String describe() {
        return Text.printable(words()); // others have chosen the names
    }

    private String words() {
        return switch (type) {
            case RELATION -> relationName();
            case EXTEND -> "extension of " + relationName();
            case PAGE -> object.orElse("page") + " of " + relationName();
            case TUPLE -> row();
            case TRANSACTIONID ->
                "transaction " + transaction.orElse("?") + (relationOid.isPresent() ? " (" + row() + ")" : "");
            case VIRTUALXID -> "end of transaction " + transaction.orElse("?");
            case ADVISORY ->
                "advisory lock " + advisoryKey.map(LockKey::toString).orElse("?")
                        + database.map(name -> " of database " + name).orElse("");
            case OBJECT -> object.orElse("object");
            default ->
                type.name().toLowerCase(Locale.ROOT)
                        + object.map(what -> " " + what).orElse("");
        };
    }

    private String row() {
        return "row " + ctid.orElse("?") + " of " + relationName();
    }

    private String relationName() {
        if (relation.isPresent()) {
            return new TableName(schema.filter(name -> !name.equals("public")), relation.get()).toString();
        }
        return "relation " + relationOid.map(oid -> Long.toString(oid)).orElse("?")
                + database.map(name -> " of database " + name).orElse("");
    }
}
