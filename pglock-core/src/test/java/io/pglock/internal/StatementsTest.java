// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StatementsTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "create index concurrently i on t (a)",
                "CREATE UNIQUE INDEX\n  CONCURRENTLY IF NOT EXISTS i ON t (a)",
                "drop index concurrently i",
                "reindex table concurrently t",
                "refresh materialized view concurrently v",
                "alter table t detach partition p concurrently",
                "-- build it\ncreate index /* big */ concurrently i on t (a)",
                "/* \"it's\" */ create index concurrently \"odd -- name\" on t (a)",
                "create index concurrently i on t (a) where b = '$$'"
            })
    void knowsAStatementThatSaysConcurrently(String sql) {
        assertThat(Statements.concurrently(sql)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "create index i on t (a)",
                "-- not concurrently\ncreate index i on t (a)",
                "/* concurrently */ create index i on t (a)",
                "insert into log values ('built concurrently', 'it''s concurrently')",
                "alter table t add column \"concurrently\" int",
                "alter table t add column concurrently_built int",
                "do $$ begin perform 'create index concurrently'; end $$",
                "create function f() returns text as $body$ select concurrently $body$ language sql"
            })
    void isNotTakenInByTheWord(String sql) {
        assertThat(Statements.concurrently(sql)).isFalse();
    }

    @Test
    void isCutWhereACommandEnds() {
        assertThat(Statements.parts("")).containsExactly("");
        assertThat(Statements.parts("select 1")).containsExactly("select 1");
        assertThat(Statements.parts("begin; alter table t add c int;\ncommit"))
                .containsExactly("begin", " alter table t add c int", "\ncommit");
        assertThat(Statements.parts("select ';', \";\" /* ; */ -- ;\n; do $$ begin a; b; end $$"))
                .containsExactly("select ';', \";\" /* ; */ -- ;\n", " do $$ begin a; b; end $$");
        assertThat(Statements.parts("select 'begin atomic'; select 2"))
                .containsExactly("select 'begin atomic'", " select 2");
        assertThat(Statements.parts("select 1; create function f() returns int begin atomic select 1; end; select 2"))
                .containsExactly("select 1", " create function f() returns int begin atomic select 1; end; select 2");
    }

    /** After a body of {@code BEGIN ATOMIC}, which ends its command, there is no telling. */
    @Test
    void severalCommandsAreMoreThanOneThatIsNotBlank() {
        assertThat(Statements.isSeveral("")).isFalse();
        assertThat(Statements.isSeveral("; select ';' /* ; */; -- ;")).isFalse();
        assertThat(Statements.isSeveral("select 1; select 2")).isTrue();
        String function = "create function f() returns int begin atomic select 1; select 2; End";
        assertThat(Statements.isSeveral(function)).isFalse();
        assertThat(Statements.isSeveral(function + " ; -- all")).isFalse();
        assertThat(Statements.isSeveral(function + "; commit")).isTrue();
        assertThat(Statements.isSeveral("select 1; " + function)).isTrue();
    }
}
