// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.pglock.testkit.PostgresTest;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@PostgresTest
class LockKeyTest {

    @ParameterizedTest
    @CsvSource({
        "my-lock, 6170642704201584368",
        "nightly-report, -8663603374018903193",
        "pglock, 3472497043066249768",
        "ключ, -6877707262552775907",
    })
    void hashesANameToTheNumberOfDjangoPglock(String name, long number) {
        assertThat(LockKey.named(name).number()).isEqualTo(number);
    }

    @Test
    void showsTheHalvesThatDjangoPglockPublishesForHello() {
        LockKey key = LockKey.named("hello");

        assertThat(key.classId()).isEqualTo(245608543L);
        assertThat(key.objId()).isEqualTo(3125670444L);
        assertThat(key.objSubId()).isEqualTo(1);
    }

    @Test
    void comparesNamesExactly() {
        assertThat(LockKey.named("Job")).isNotEqualTo(LockKey.named("job")).isNotEqualTo(LockKey.named("Job "));
    }

    @Test
    void refusesAnEmptyName() {
        assertThatIllegalArgumentException().isThrownBy(() -> LockKey.named("")).withMessageContaining("LockKey.of");
    }

    static Stream<LockKey> keys() {
        return Stream.of(
                LockKey.of(0),
                LockKey.of(-1),
                LockKey.of(-42),
                LockKey.of(1L << 31),
                LockKey.of(1L << 32),
                LockKey.of(Long.MIN_VALUE),
                LockKey.of(Long.MAX_VALUE),
                LockKey.of(0, 0),
                LockKey.of(7, -9),
                LockKey.of(-1, -1),
                LockKey.of(Integer.MIN_VALUE, Integer.MAX_VALUE),
                LockKey.of(Integer.MAX_VALUE, Integer.MIN_VALUE),
                LockKey.named("hello"),
                LockKey.named("nightly-report"));
    }

    // django-pglock defects 17 (negative keys are shown as other numbers) and 22 (key 0 is refused)
    @ParameterizedTest
    @MethodSource("keys")
    void isShownByPgLocksAsItSaysAndIsReadBackFromThere(LockKey key, Connection connection) throws SQLException {
        PgLock pg = PgLock.on(connection);
        try (LockHandle lock = pg.advisory(key).acquire();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select classid::bigint, objid::bigint, objsubid from pg_locks"
                        + " where locktype = 'advisory' and pid = pg_backend_pid()")) {
            assertThat(row.next()).isTrue();
            assertThat(row.getLong(1)).isEqualTo(key.classId());
            assertThat(row.getLong(2)).isEqualTo(key.objId());
            assertThat(row.getInt(3)).isEqualTo(key.objSubId());
            assertThat(LockKey.ofPgLocks(row.getLong(1), row.getLong(2), row.getInt(3)))
                    .isEqualTo(key)
                    .hasSameHashCodeAs(key);
            assertThat(row.next()).as("one lock only").isFalse();
            assertThat(lock.key()).isEqualTo(key);
        }
    }

    @Test
    void keepsOneNumberAndTwoNumbersApart() {
        assertThat(LockKey.of(7)).isNotEqualTo(LockKey.of(0, 7));
        assertThat(LockKey.of(0, 7).number()).isEqualTo(7);
        assertThat(LockKey.of(0, 7).isPair()).isTrue();
    }

    @Test
    void isEqualByNumberWhateverTheName() {
        LockKey named = LockKey.named("my-lock");

        assertThat(named)
                .isEqualTo(LockKey.of(6170642704201584368L))
                .hasSameHashCodeAs(LockKey.of(6170642704201584368L));
    }

    @Test
    void saysNameAndNumber() {
        assertThat(LockKey.named("nightly-report")).hasToString("nightly-report (-8663603374018903193)");
        assertThat(LockKey.of(42)).hasToString("42");
        assertThat(LockKey.of(7, -9)).hasToString("(7, -9)");
    }

    @ParameterizedTest
    @CsvSource({"-1, 0, 1", "0, -1, 1", "4294967296, 0, 1", "0, 4294967296, 2", "0, 0, 0", "0, 0, 3"})
    void refusesWhatPgLocksNeverShows(long classId, long objId, int objSubId) {
        assertThatIllegalArgumentException().isThrownBy(() -> LockKey.ofPgLocks(classId, objId, objSubId));
    }
}
