// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockKey;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What {@code pglock ls} lists, and what its exit code tells. */
@Tag("versions")
@PostgresTest
class LsTest {

    private final Scenario scenario;
    private final Cli cli;
    private final Session holder;
    private final Session migration;
    private final Session web;

    LsTest(Database database, Scenario scenario) {
        this.scenario = scenario;
        this.cli = Cli.on(database);
        this.holder = scenario.session("holder");
        this.migration = scenario.session("migration");
        this.web = scenario.session("web");
    }

    @BeforeEach
    void orders() {
        holder.execute(
                "drop table if exists orders, items", "create table orders (id int)", "create table items (id int)");
    }

    /** web waits for migration, which waits for holder. */
    private Running queue() {
        holder.execute("begin", "select count(*) from orders");
        Running alter = migration.start("alter table orders add column note text");
        scenario.awaitBlockedBy(migration, holder);
        web.start("select 'web' from orders");
        scenario.awaitBlockedBy(web, migration);
        return alter;
    }

    @Test
    void listsWhoWaitsLongestFirstAndThenWhoHolds() {
        queue();
        Cli.Ended listed = cli.run("--on", "orders").succeeded();
        assertThat(listed.lines().get(0)).startsWith("PID").contains("WAITED", "MODE", "TARGET", "STATE", "QUERY");
        assertThat(listed.lines().get(1))
                .startsWith(migration.pid() + " ")
                .contains(
                        "false", "ACCESS EXCLUSIVE", "orders", "migration", "alter table orders add column note text");
        assertThat(listed.lines().get(2)).startsWith(web.pid() + " ").contains("false", "ACCESS SHARE");
        assertThat(listed.lines().get(3)).startsWith(holder.pid() + " ").contains("true", "idle in transaction");
        assertThat(listed.lines()).hasSize(4);
    }

    @Test
    void listsWhoIsInTheWayOfWhom() {
        queue();
        List<String> rows = cli.run(
                        "ls",
                        "--blocking",
                        "--csv",
                        "-a",
                        "activity_id,blocking_activity_id,blocking_hard,blocking_modes,blocking_activity__query",
                        "-f",
                        "database=" + scenario.database().name())
                .succeeded()
                .lines();
        assertThat(rows)
                .containsExactly(
                        "activity_id,blocking_activity_id,blocking_hard,blocking_modes,blocking_activity__query",
                        migration.pid() + "," + holder.pid() + ",true,ACCESS SHARE,select count(*) from orders",
                        web.pid() + "," + migration.pid() + ",false,,alter table orders add column note text");
    }

    @Test
    void checkTellsByTheExitCodeWhetherSomebodyWaits() {
        holder.execute("begin", "lock table items in share mode");
        assertThat(cli.run("ls", "--check", "--on", "items", "--on", "orders")
                        .succeeded()
                        .out())
                .contains("SHARE");
        queue();
        Cli.Ended blocked = cli.run("ls", "--check", "--on", "orders");
        assertThat(blocked.code()).isEqualTo(2);
        assertThat(blocked.err()).isEmpty();
        assertThat(blocked.out()).contains(Integer.toString(migration.pid()));
        assertThat(cli.run("ls", "--check", "--on", "orders", "-l", "1", "--sort", "-granted")
                        .code())
                .as("also when those who wait are beyond the limit")
                .isEqualTo(2);
        assertThat(cli.run("--check", "--on", "orders", "-f", "wait_duration__gt=1h")
                        .code())
                .isZero();
    }

    @Test
    void listsTheLocksOfSessionsThatAreNamedAndOfAllKinds() {
        holder.execute("begin", "insert into orders values (1)", "select pg_advisory_lock(7, -9)", "drop table items");
        List<String> rows = cli.run(
                        Integer.toString(holder.pid()), "--csv", "-a", "pid", "-a", "type,mode,rel_kind,target")
                .succeeded()
                .lines();
        String pid = holder.pid() + ",";
        assertThat(rows)
                .contains(
                        "activity_id,type,mode,rel_kind,target",
                        pid + "relation,ROW EXCLUSIVE,table,orders",
                        pid + "relation,ACCESS EXCLUSIVE,table,items",
                        pid + "advisory,EXCLUSIVE,,\"advisory lock (7, -9) of database "
                                + scenario.database().name() + "\"")
                .anyMatch(row -> row.startsWith(pid + "transactionid,EXCLUSIVE,,transaction "))
                .anyMatch(row -> row.startsWith(pid + "virtualxid,EXCLUSIVE,,end of transaction "));
        holder.execute("rollback", "select pg_advisory_unlock_all()");
    }

    @Test
    void advisoryKeysAreDecodedAndNamed() {
        long key = LockKey.named("nightly-report").number();
        holder.execute("select pg_advisory_lock(" + key + "), pg_advisory_lock(72707369), pg_advisory_lock(7, -9)");
        List<String> rows = cli.run(
                        Integer.toString(holder.pid()),
                        "--key-name",
                        "nightly-report",
                        "-f",
                        "type=advisory",
                        "--csv",
                        "-a",
                        "key,key_name",
                        "--sort",
                        "key")
                .succeeded()
                .lines();
        assertThat(rows)
                .containsExactly("key,key_name", "\"(7, -9)\",", key + ",nightly-report", "72707369,Prisma Migrate");
        assertThat(cli.run("-f", "key_name=nightly-report", "--key-name", "nightly-report", "-a", "target")
                        .succeeded()
                        .out())
                .contains("advisory lock nightly-report (" + key + ") of database ");
        holder.execute("select pg_advisory_unlock_all()");
    }

    @Test
    void listsPreparedTransactionsAndNeverItself() {
        scenario.assumePreparedTransactions();
        holder.execute("begin", "insert into orders values (1)", "prepare transaction 'ls'");
        try {
            List<String> rows = cli.run(
                            "ls", "0", "--csv", "-a", "pid,mode,target,activity__prepared_gid", "--on", "orders")
                    .succeeded()
                    .lines();
            assertThat(rows).hasSize(2).last().isEqualTo("0,ROW EXCLUSIVE,orders,ls");
            assertThat(cli.run(
                                    "-f",
                                    "activity__application_name=pglock",
                                    "-f",
                                    "activity__database=" + scenario.database().name(),
                                    "--json")
                            .succeeded()
                            .out())
                    .isEqualTo("[]\n");
        } finally {
            holder.execute("rollback prepared 'ls'");
        }
    }

    @Test
    void limitsAfterSorting() {
        holder.execute("begin", "lock table orders in row share mode", "lock table items in share mode");
        web.execute("begin", "lock table orders in access share mode");
        assertThat(cli.run("--on", "orders", "--on", "items", "--csv", "-a", "mode", "--sort", "-mode", "--limit", "2")
                        .succeeded()
                        .lines())
                .containsExactly("mode", "SHARE", "ROW SHARE");
        assertThat(cli.run("--on", "orders", "--on", "items", "--csv", "-a", "rel_name,pid", "--sort", "rel_name,-pid")
                        .succeeded()
                        .lines())
                .containsExactly(
                        "rel_name,activity_id",
                        "items," + holder.pid(),
                        "orders," + Math.max(holder.pid(), web.pid()),
                        "orders," + Math.min(holder.pid(), web.pid()));
    }

    @Test
    void saysOnceWhatTheRoleMayNotSee() {
        holder.execute("begin", "select * from orders");
        var role = scenario.role("seesless");
        Cli.Ended listed = cli.environment("PGUSER", role.name())
                .environment("PGPASSWORD", role.password())
                .run("-f", "rel_name=orders", "--csv", "-a", "pid,activity__visible,activity__state");
        assertThat(listed.code()).isZero();
        assertThat(listed.lines()).last().isEqualTo(holder.pid() + ",false,");
        assertThat(listed.err()).containsOnlyOnce("GRANT pg_read_all_stats TO").startsWith("pglock: ");
    }

    @Test
    void aWordThatIsNoCommandIsAnsweredWithTheNearestOne() {
        assertThat(Cli.bare().run("tre"))
                .isEqualTo(new Cli.Ended(
                        1, "", "pglock: tre is neither a command nor a process id; did you mean tree?\n"));
        assertThat(Cli.bare().run("orders").err()).contains("--on orders asks for a table");
    }
}
