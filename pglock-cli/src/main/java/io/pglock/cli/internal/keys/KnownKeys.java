// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.keys;

import io.pglock.LockKey;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;

/** The advisory keys that migration tools and pglock itself take, as their sources say. Stateless. */
final class KnownKeys {

    /** To it Flyway adds the hash code of its history table's name. */
    private static final long FLYWAY = 77_431_708_279_161L;

    /** There are as many below zero. */
    private static final long HASH_CODES = 1L << 31;

    private static final LockKey FLYWAY_BY_DEFAULT =
            LockKey.of(FLYWAY + "\"public\".\"flyway_schema_history\"".hashCode());

    private static final long RAILS_SALT = 2_053_462_845L;
    private static final long SQLX_SALT = 0x3d32_ad9eL;
    private static final long GOLANG_MIGRATE_SALT = 1_486_364_155L;
    private static final long UNSIGNED_INT = 0xffff_ffffL;

    /** {@code pglk}; the second number is the process id of a session that pglock guards. */
    private static final int GUARDED = 0x7067_6c6b;

    /** {@code pgla}; the second number announces that a client waits for some other key. */
    private static final int ANNOUNCED = 0x7067_6c61;

    private static final Map<LockKey, String> CONSTANT = Map.ofEntries(
            Map.entry(LockKey.of(0x2c_0305_7fb9_525bL), "pgroll"),
            Map.entry(LockKey.of(4_036_779_288_569_897_133L), "Reshape"),
            Map.entry(LockKey.of(72_707_369L), "Prisma Migrate"),
            Map.entry(LockKey.of(3_853_314_791_062_309_107L), "Kysely"),
            Map.entry(LockKey.of(7_241_865_325_823_964L), "node-pg-migrate"),
            Map.entry(LockKey.of(75_474_063L), "Sqitch"),
            Map.entry(LockKey.of(4_097_083_626L), "goose"),
            Map.entry(FLYWAY_BY_DEFAULT, "Flyway: public.flyway_schema_history"),
            Map.entry(sessionLock("databasechangeloglock"), "liquibase-sessionlock: public.databasechangeloglock"),
            Map.entry(sessionLock("DATABASECHANGELOGLOCK"), "liquibase-sessionlock: public.DATABASECHANGELOGLOCK"),
            Map.entry(
                    LockKey.named("liquibase public.databasechangelog"),
                    "pglock's changelog lock for Liquibase: public.databasechangelog"));

    private KnownKeys() {}

    private static LockKey sessionLock(String table) {
        return LockKey.of(table.hashCode(), "public".hashCode());
    }

    /** Whose key it is, when it was taken in this database. */
    static Optional<String> owner(LockKey key, Optional<String> database) {
        String constant = CONSTANT.get(key);
        if (constant != null) {
            return Optional.of(constant);
        }
        return key.isPair() ? ofPair(key) : ofNumber(key.number(), database);
    }

    private static Optional<String> ofPair(LockKey key) {
        return switch (key.first()) {
            case GUARDED -> Optional.of("pglock guards pid " + key.second());
            case ANNOUNCED -> Optional.of("somebody waits for a lock through pglock's client");
            default -> Optional.empty();
        };
    }

    private static Optional<String> ofNumber(long number, Optional<String> database) {
        if (number >= FLYWAY - HASH_CODES && number < FLYWAY + HASH_CODES) {
            return Optional.of("Flyway, likely"); // the range has room for others, and nobody else is known to be in it
        }
        return database.flatMap(name -> ofDatabase(number, name));
    }

    /** Those made of the database's name. */
    private static Optional<String> ofDatabase(long number, String database) {
        if (number == RAILS_SALT * crc32(database)) {
            return Optional.of("Rails migrations");
        }
        if (number == SQLX_SALT * crc32(database)) {
            return Optional.of("sqlx migrations");
        }
        long ofTable = crc32("public\0schema_migrations\0" + database) * GOLANG_MIGRATE_SALT & UNSIGNED_INT;
        return number == ofTable ? Optional.of("golang-migrate: public.schema_migrations") : Optional.empty();
    }

    private static long crc32(String text) {
        CRC32 sum = new CRC32();
        sum.update(text.getBytes(StandardCharsets.UTF_8));
        return sum.getValue();
    }
}
