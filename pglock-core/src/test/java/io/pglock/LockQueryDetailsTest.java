// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockTarget.RelationKind;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/** What a lock and a session tell besides who, what and how strong. */
@PostgresTest
class LockQueryDetailsTest {

    @Test
    void saysWhatKindOfRelationIsLocked(Connection connection, Scenario scenario) {
        Session session = scenario.session("web");
        session.execute(
                "create table goods (id serial primary key, name text)",
                "create view all_goods as select * from goods",
                "create materialized view kept_goods as select * from goods",
                "create table sales (day date) partition by range (day)");
        session.begin();
        session.execute(
                "select nextval('goods_id_seq')",
                "select * from goods where id = 1",
                "select * from all_goods",
                "select * from kept_goods",
                "select * from sales");
        Map<String, RelationKind> kinds = PgLock.on(connection).locks().pid(session.pid()).list().stream()
                .map(LockInfo::target)
                .filter(target -> target.relation().isPresent())
                .collect(Collectors.toMap(
                        target -> target.relation().get(),
                        target -> target.relationKind().orElseThrow(),
                        (one, same) -> one));
        assertThat(kinds)
                .containsEntry("goods", RelationKind.TABLE)
                .containsEntry("goods_pkey", RelationKind.INDEX)
                .containsEntry("goods_id_seq", RelationKind.SEQUENCE)
                .containsEntry("all_goods", RelationKind.VIEW)
                .containsEntry("kept_goods", RelationKind.MATERIALIZED_VIEW)
                .containsEntry("sales", RelationKind.PARTITIONED_TABLE);
        assertThat(RelationKind.MATERIALIZED_VIEW).hasToString("materialized view");
        assertThat(RelationKind.ofPgClass("z")).isEqualTo(RelationKind.OTHER);
    }

    /** The server shows the statement of another database as that has it: bytes that may be no UTF-8. */
    @Test
    void readsWhatASessionOfADatabaseInAnotherEncodingRuns(Connection connection, Database database)
            throws SQLException {
        try (Database old = database.server().createDatabaseIn("LATIN1");
                Connection session = old.connect("old");
                Statement statement = session.createStatement()) {
            statement.execute("create table cafes (name text)");
            session.setAutoCommit(false);
            statement.execute("insert into cafes values ('caf\u00e9" + "x".repeat(400) + "')");
            int pid = session.unwrap(PGConnection.class).getBackendPID();

            assertThat(PgLock.on(connection).locks().pid(pid).list())
                    .isNotEmpty()
                    .allSatisfy(lock -> assertThat(lock.backend().query())
                            .hasValueSatisfying(
                                    query -> assertThat(query).startsWith("insert into cafes values ('caf\ufffdxx")));
            assertThat(PgLock.on(connection).locks().tree().roots()).isEmpty();
        }
    }

    @Test
    void saysWhichTransactionASessionIsIn(Connection connection, Scenario scenario) {
        Session writer = scenario.session("writer");
        writer.execute("create table written (id int)");
        writer.begin();
        writer.execute("set transaction isolation level repeatable read");
        String xid = writer.execute("insert into written values (1)", "select txid_current() % (2^32)::bigint")
                .get(0);
        Backend backend =
                PgLock.on(connection).locks().pid(writer.pid()).list().get(0).backend();
        assertThat(backend.xid()).contains(xid);
        assertThat(backend.xmin()).isPresent();
        assertThat(backend.clientHostname()).isEmpty();

        writer.commit();
        writer.begin();
        writer.execute("lock table written in share mode");
        assertThat(PgLock.on(connection)
                        .locks()
                        .pid(writer.pid())
                        .list()
                        .get(0)
                        .backend()
                        .xid())
                .isEmpty();
    }

    @Test
    void saysWhichTransactionIsPrepared(Connection connection, Scenario scenario) {
        scenario.assumePreparedTransactions();
        Session session = scenario.session("xa");
        session.execute("create table prepared_rows (id int)");
        session.begin();
        session.execute("insert into prepared_rows values (1)");
        String xid = session.value("select txid_current() % (2^32)::bigint");
        session.execute("prepare transaction 'details'");
        try {
            assertThat(PgLock.on(connection)
                            .locks()
                            .pid(0)
                            .where(lock ->
                                    lock.backend().preparedGid().orElse("").equals("details"))
                            .list())
                    .isNotEmpty()
                    .allSatisfy(lock -> assertThat(lock.backend().xid()).contains(xid));
        } finally {
            session.execute("rollback prepared 'details'");
        }
    }
}
