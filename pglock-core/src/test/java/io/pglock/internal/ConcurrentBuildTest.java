// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConcurrentBuildTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            emptyValue = "",
            value = {
                "create index concurrently i on orders (id) | orders | i",
                "CREATE UNIQUE INDEX CONCURRENTLY Big_One ON Orders (id) | Orders | big_one",
                "create index concurrently on orders (id) | orders | ~~",
                "create index concurrently if not exists i on only s.orders using btree (id) | s.orders | i",
                "create index concurrently \"Odd \"\"one\"\"\"on\"My Schema\".\"T\" (id) | \"My Schema\".\"T\" | Odd \"one\"",
                "create index concurrently\"i\"on orders (id) | orders | i",
                "create index concurrently \"on\" on orders (id) | orders | on",
                "create index concurrently once on orders (id) | orders | once",
                "/* a /* nested */ one */ create -- now⏎ index concurrently i on orders (id) | orders | i",
                "create index concurrently \"a--b\" on \"c/*d\" (id) | \"c/*d\" | a--b",
                "create index concurrently grün on größen (id) | größen | grün",
                "create index concurrently i$1 on t$2 (id) | t$2 | i$1",
                "create index concurrently i on orders (id) where note = ' on items (id)' | orders | i",
                "create index concurrently a2345678901234567890123456789012345678901234567890123456789012345 on t (id) | t "
                        + "| a23456789012345678901234567890123456789012345678901234567890123",
            })
    void readsWhatIsBuiltAndOnWhat(String sql, String table, String index) {
        assertThat(ConcurrentBuild.named(sql.replace("⏎", "\n"))).containsExactly(table, index);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "reindex index concurrently s.i | s.i",
                "reindex (verbose) table concurrently \"T\" | \"T\"",
                "REINDEX (CONCURRENTLY, VERBOSE) INDEX i | i",
                "reindex table concurrently -- all of it⏎ orders | orders",
            })
    void readsWhatIsBuiltAnew(String sql, String name) {
        assertThat(ConcurrentBuild.named(sql.replace("⏎", "\n"))).containsExactly(name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "create index i on orders (id)",
                "drop index concurrently i",
                "alter table orders detach partition p concurrently",
                "refresh materialized view concurrently orders",
                "reindex schema concurrently public",
                "select 'create index concurrently i on orders (id)'",
                "-- create index concurrently i on orders (id)",
                "create table \"create index concurrently i on orders\" (id int)",
                "",
            })
    void leavesEverythingElseAlone(String sql) {
        assertThat(ConcurrentBuild.named(sql)).isEmpty();
    }

    @Test
    void isNotSlowOnATextThatIsMadeForIt() {
        String many = "create index concurrently " + "\"\"\"\"".repeat(20_000) + " o" + "n ".repeat(20_000);
        assertThat(ConcurrentBuild.named(many)).isEmpty();
    }
}
