// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SqlCommandTest {

    private static SqlCommand command(String sql) {
        return SqlCommand.of(sql);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "begin",
                "START TRANSACTION",
                "/* x */ commit",
                "-- x\n  End",
                "rollback to a",
                "abort",
                "savepoint a",
                "release a",
                "prepare transaction 'x'",
                "set transaction read only"
            })
    void endsOrDividesTheTransaction(String sql) {
        assertThat(command(sql).controlsTransaction()).isTrue();
        assertThat(command(sql).isAtomic()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"prepare p as select 1", "set local lock_timeout = '1s'", "select 'commit'", "beginning()"})
    void leavesTheTransactionAlone(String sql) {
        assertThat(command(sql).controlsTransaction()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "select pg_advisory_lock(42)",
                "SELECT PG_TRY_ADVISORY_LOCK_SHARED (1, 2); alter table t add a int",
                "do $$ begin perform pg_catalog.pg_advisory_lock_shared(7); end $$",
                "prepare p as select 1"
            })
    void staysInTheSessionWhenItIsUndone(String sql) {
        assertThat(command(sql).outlivesTransaction()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "select pg_advisory_xact_lock(42)",
                "select pg_try_advisory_xact_lock_shared(42)",
                "select pg_advisory_unlock(42)",
                "insert into t values ('pg_advisory_lock(42)') -- pg_advisory_lock(42)",
                "prepare transaction 'p'"
            })
    void leavesNothingInTheSession(String sql) {
        assertThat(command(sql).outlivesTransaction()).isFalse();
    }

    @Test
    void saysWhatKindOfTransactionItWants() {
        assertThat(command(" Set  Transaction isolation level serializable").describesTransaction())
                .isTrue();
        assertThat(command("set session characteristics as transaction read only")
                        .describesTransaction())
                .isTrue();
        assertThat(command("set transaction_isolation = 'serializable'").describesTransaction())
                .isTrue();
        assertThat(command("set local lock_timeout = '1s'").describesTransaction())
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "begin isolation level serializable",
                "BEGIN WORK\n  READ ONLY",
                "start transaction not deferrable",
                "begin transaction deferrable"
            })
    void saysWhatKindOfTransactionItWantsWhereItBeginsOne(String sql) {
        assertThat(command(sql).describesTransaction()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"begin", "begin work", "start transaction", "begin; alter table t set (read only)"})
    void beginsATransactionOfAnyKind(String sql) {
        assertThat(command(sql).describesTransaction()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "call p()",
                "do $$ begin end $$",
                "copy t from stdin",
                "create database d",
                "execute p",
                "alter table only t detach partition \"t concurrently\" Concurrently",
                "alter table t -- hot\n detach partition p concurrently",
                "alter table t detach partition p /* a /* b */ c */ concurrently",
                "insert into t values (1); commit; alter table u add a int",
                "create function f() returns int begin atomic select 1; end; insert into t values (1); commit; drop table u"
            })
    void mayHaveDoneAPartOfItsWorkWhenItFails(String sql) {
        assertThat(command(sql).isAtomic()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "alter table t add a int",
                "alter table t detach partition \"concurrently\"",
                "alter table t detach partition p -- not concurrently",
                "alter table t detach partition p finalize",
                "insert into t values (1)",
                "vacuum t",
                "analyze",
                "reindex table t",
                "insert into t values (';'); -- all;\n",
                "create function f() returns int begin atomic select 1; end;"
            })
    void canBeRunAgainOutsideATransaction(String sql) {
        assertThat(command(sql).isAtomic()).isTrue();
    }

    @Test
    void buildsAnIndexConcurrentlyOnlyWhereItSaysSoItself() {
        assertThat(command("create unique index concurrently i on t (a)").buildsConcurrently())
                .isTrue();
        assertThat(command("REINDEX TABLE CONCURRENTLY t").buildsConcurrently()).isTrue();
        assertThat(command("create index i on t (a)").buildsConcurrently()).isFalse();
        assertThat(command("drop index concurrently i").buildsConcurrently()).isFalse();
        assertThat(command("create view v as select 'concurrently'").buildsConcurrently())
                .isFalse();
        assertThat(command("create index /* soon */ concurrently on t (a)").buildsConcurrently())
                .isTrue();
        assertThat(command("reindex (verbose, concurrently) table t").buildsConcurrently())
                .isTrue();
        assertThat(command("-- soon\ncreate index -- x\n concurrently i on t (a)")
                        .buildsConcurrently())
                .isTrue();
        assertThat(command("create index -- concurrently\n i on t (a)").buildsConcurrently())
                .isFalse();
        assertThat(command("create index concurrently i on t (a); insert into t values (1)")
                        .buildsConcurrently())
                .isFalse();
    }

    @Test
    void saysConcurrentlyHoweverLateItDoes() {
        String much = "/* " + "x".repeat(300) + " */";
        assertThat(command("create index " + much + " concurrently i on t (a)").buildsConcurrently())
                .isTrue();
        assertThat(command("alter table t " + much + " detach partition p concurrently")
                        .isAtomic())
                .isFalse();
    }

    @Test
    void hasRowsThatAHostMayPrint() {
        assertThat(command("with a as (select 1) select * from a").returnsRows())
                .isTrue();
        assertThat(command("delete from t returning a").returnsRows()).isTrue();
        assertThat(command("delete from t").returnsRows()).isFalse();
    }

    @Test
    void readsItsDataFromTheScript() {
        assertThat(command("copy t (a) from stdin with csv").readsTheScript()).isTrue();
        assertThat(command("copy t from '/file'").readsTheScript()).isFalse();
        assertThat(command("copy (select 'from stdin') to '/file'").readsTheScript())
                .isFalse();
        assertThat(command("copy t from '/it''s' /* from stdin */ -- from stdin")
                        .readsTheScript())
                .isFalse();
    }

    @Test
    void beginsAfterItsComments() {
        assertThat(SqlCommand.leadingComments("-- a\n /* b\n */ select 1")).isEqualTo("-- a\n /* b\n */ ");
        assertThat(SqlCommand.leadingComments("/* a /* b */ c */ commit")).isEqualTo("/* a /* b */ c */ ");
        assertThat(SqlCommand.leadingComments("/* does not end")).isEmpty();
        assertThat(SqlCommand.leadingComments("-- only this")).isEqualTo("-- only this");
        assertThat(command("-- a\n /* b\n */ SELECT\n1").words()).isEqualTo("select 1");
    }
}
