// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.jspecify.annotations.Nullable;

/**
 * What an advisory lock is on: one 64-bit number, or two of 32 bits. The two spaces are apart: {@code of(0, 7)} is not
 * {@code of(7)}. Immutable and thread-safe; equal when the number is, whatever name it came from.
 *
 * <p>Advisory locks belong to one database: the same key in another database of the server is another lock.
 *
 * {@snippet :
 * LockKey.named("nightly-report"); // the number that django-pglock takes for this name
 * LockKey.of(42);
 * LockKey.of(7, 42);
 * }
 *
 * @see <a href="https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS">Advisory Locks</a>
 */
public final class LockKey {

    private static final long MAX_OID = 0xFFFF_FFFFL;
    private static final int ONE_NUMBER = 1;
    private static final int TWO_NUMBERS = 2;

    private final long bits;
    private final boolean pair;
    private final @Nullable String name;

    private LockKey(long bits, boolean pair, @Nullable String name) {
        this.bits = bits;
        this.pair = pair;
        this.name = name;
    }

    /**
     * The key for a name: the first eight bytes, little-endian, of the SHA-256 of its UTF-8, as django-pglock does it, so
     * that services in both languages exclude each other. Names are compared exactly, case and spaces included.
     *
     * @throws IllegalArgumentException when the name is empty
     */
    public static LockKey named(String name) {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("The name of a lock is empty. Give it one, or use LockKey.of(number).");
        }
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8));
            return new LockKey(
                    ByteBuffer.wrap(digest).order(ByteOrder.LITTLE_ENDIAN).getLong(), false, name);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }

    /** The key of {@code pg_advisory_lock(number)}; every number is one, 0 and the negative ones too. */
    public static LockKey of(long number) {
        return new LockKey(number, false, null);
    }

    /** The key of {@code pg_advisory_lock(first, second)}; all pairs of numbers are keys. */
    public static LockKey of(int first, int second) {
        return new LockKey((long) first << Integer.SIZE | Integer.toUnsignedLong(second), true, null);
    }

    /**
     * The key that a row of {@code pg_locks} with {@code locktype = 'advisory'} shows.
     *
     * @param classId its {@code classid}, 0 to 2<sup>32</sup> - 1
     * @param objId its {@code objid}, 0 to 2<sup>32</sup> - 1
     * @param objSubId its {@code objsubid}, 1 for one number, 2 for two
     * @throws IllegalArgumentException when no advisory lock looks so
     */
    public static LockKey ofPgLocks(long classId, long objId, int objSubId) {
        if (classId < 0 || classId > MAX_OID || objId < 0 || objId > MAX_OID) {
            throw new IllegalArgumentException("pg_locks shows a key as two unsigned 32-bit numbers, not as classid "
                    + classId + ", objid " + objId + ".");
        }
        if (objSubId != ONE_NUMBER && objSubId != TWO_NUMBERS) {
            throw new IllegalArgumentException("objsubid of an advisory lock is 1 (one 64-bit number) or 2 (two 32-bit"
                    + " numbers), not " + objSubId + ".");
        }
        return new LockKey(classId << Integer.SIZE | objId, objSubId == TWO_NUMBERS, null);
    }

    /** Whether it consists of two 32-bit numbers. */
    public boolean isPair() {
        return pair;
    }

    /** The 64-bit number; of a pair, its two numbers one after the other. */
    public long number() {
        return bits;
    }

    /** The first of the two numbers; of one 64-bit number, its upper half. */
    public int first() {
        return (int) (bits >>> Integer.SIZE);
    }

    /** The second of the two numbers; of one 64-bit number, its lower half. */
    public int second() {
        return (int) bits;
    }

    /** What {@code pg_locks.classid} shows: the upper half, unsigned. */
    public long classId() {
        return bits >>> Integer.SIZE;
    }

    /** What {@code pg_locks.objid} shows: the lower half, unsigned. */
    public long objId() {
        return bits & MAX_OID;
    }

    /** What {@code pg_locks.objsubid} shows: 1 for one number, 2 for two. */
    public int objSubId() {
        return pair ? TWO_NUMBERS : ONE_NUMBER;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof LockKey key && key.bits == bits && key.pair == pair;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(bits) * 2 + (pair ? 1 : 0);
    }

    /** {@code nightly-report (-8663603374018903193)}, {@code 42} or {@code (7, 42)}. */
    @Override
    public String toString() {
        if (pair) {
            return "(" + first() + ", " + second() + ")";
        }
        return name == null ? Long.toString(bits) : name + " (" + bits + ")";
    }
}
