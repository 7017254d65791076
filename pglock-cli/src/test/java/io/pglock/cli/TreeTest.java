// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.QueueScene;
import io.pglock.testkit.Role;
import io.pglock.testkit.Scenario;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@code pglock tree}. */
@Tag("versions")
class TreeTest extends QueueScene {

    private final Database database;

    TreeTest(Database database, Scenario scenario) {
        super(scenario);
        this.database = database;
    }

    @BeforeEach
    @Override
    protected void tables() {
        holder.execute(
                "drop table if exists orders, items, \"Odd 'lines\"",
                "create table orders (id int primary key, note text)",
                "create table items (id int)",
                "insert into orders values (41, 'a'), (42, 'b')");
    }

    @Test
    void drawsWhoWaitsForAHolderAndWhoIsMerelyQueuedBehind() {
        readersBehindAMigrationBehindAnIdleTransaction();

        Cli.Ended tree = pglock("tree", "--on", "orders").succeeded();

        assertThat(tree.lines()).hasSize(3);
        assertThat(tree.lines().get(0))
                .matches("pid " + holder.pid()
                        + " holder +idle in transaction for \\S+ +blocks 2, who have waited \\S+ in all +"
                        + "\"select \\* from orders\"");
        assertThat(tree.lines().get(1))
                .matches("    └─ pid " + migration.pid()
                        + " migration +waits \\S+ for ACCESS EXCLUSIVE on orders +held: ACCESS SHARE +"
                        + "\"alter table orders add extra int\" \\[route=/orders shop=4 7\\]");
        assertThat(tree.lines().get(2))
                .matches("        └┄ pid " + web.pid() + " web +waits \\S+ for ACCESS SHARE on orders +queued behind +"
                        + "\"select count\\(\\*\\) from orders\"");
        assertThat(tree.out()).doesNotContain("\u001b");
        assertThat(pglock("tree", "--on", "items").out()).isEqualTo("nobody of those asked for waits for a lock\n");
    }

    @Test
    void tellsAScriptWhetherSomebodyWaits() {
        assertThat(pglock("tree", "--check", "--on", "orders").succeeded().out())
                .isEqualTo("nobody of those asked for waits for a lock\n");
        readersBehindAMigrationBehindAnIdleTransaction();

        Cli.Ended found = pglock("tree", "--check", "--json", "--on", "orders");

        assertThat(found.code()).isEqualTo(2);
        assertThat(found.lines()).hasSize(1);
        assertThat(found.out())
                .startsWith("{\"waiting\":2,\"deadlock\":false,\"roots\":[{\"victims\":2,\"total_wait_ms\":")
                .contains(
                        "\"pid\":" + holder.pid() + ",\"application_name\":\"holder\"",
                        "\"state\":\"idle in transaction\"",
                        "\"behind\":{\"pid\":" + holder.pid() + ",\"hard\":true,\"modes\":[\"ACCESS SHARE\"]}",
                        "\"context\":{\"route\":\"/orders\",\"shop\":\"4 7\"}",
                        "\"waits_for\":{\"mode\":\"ACCESS EXCLUSIVE\",\"target\":\"orders\",\"type\":\"relation\"",
                        "\"behind\":{\"pid\":" + migration.pid() + ",\"hard\":false,\"modes\":[]}")
                .endsWith("\"notes\":[]}\n");
    }

    @Test
    void marksADeadlock() {
        holder.execute("set deadlock_timeout = '1min'", "begin", "lock table orders");
        migration.execute("set deadlock_timeout = '1min'", "begin", "lock table items");
        holder.start("lock table items");
        migration.start("lock table orders");
        scenario.awaitBlocked(holder, migration);

        Cli.Ended tree = pglock("tree", "--on", "orders").succeeded();
        assertThat(tree.lines()).hasSize(2).allMatch(line -> line.contains(", DEADLOCK"));
        assertThat(pglock("tree", "--json", "--on", "orders").out())
                .contains("\"deadlock\":true", "\"deadlocked\":true");
    }

    @Test
    void namesTheRowByItsPrimaryKeyWhereTheRoleMayReadIt() {
        Role reader = scenario.role("reader", "pg_read_all_stats", "select on orders");
        Role monitor = scenario.role("monitor", "pg_read_all_stats");
        holder.execute("begin", "update orders set note = 'c' where id = 42");
        web.start("update orders set note = 'd' where id = 42");
        scenario.awaitBlockedBy(web, holder);
        scenario.session("second").start("update orders set note = 'e' where id = 42");
        scenario.awaitBlocked(scenario.session("second"));

        assertThat(pglock("tree", "--on", "orders").succeeded().out())
                .containsPattern("web +waits \\S+ for SHARE on transaction \\d+ \\(orders id=42\\)")
                .containsPattern("second +waits \\S+ for EXCLUSIVE on orders id=42 ")
                .doesNotContain("row (");
        assertThat(as(reader).run("tree", "--json").succeeded().out())
                .contains("(orders id=42)\"", "\"row\":\"id=42\"", "\"ctid\":\"(0,2)\"");
        assertThat(as(monitor).run("tree").succeeded().out())
                .containsPattern("transaction \\d+ \\(row \\(0,2\\) of orders\\)")
                .doesNotContain("id=42");
    }

    /** A name is quoted by the server, and a table that somebody locks costs a moment and no more. */
    @Test
    void namesRowsOfOddTablesAndGivesUpOnLockedOnes() {
        holder.execute(
                "create table \"Odd 'lines\" (\"Order No\" text, line int, x int, primary key (line, \"Order No\"))",
                "insert into \"Odd 'lines\" values ('A?1', 7, 0)",
                "begin",
                "update \"Odd 'lines\" set x = 1");
        web.start("update \"Odd 'lines\" set x = 2");
        scenario.awaitBlockedBy(web, holder);
        assertThat(pglock("tree").succeeded().out()).contains("(\"Odd 'lines\" line=7 Order No=A?1)");

        migration.start("alter table \"Odd 'lines\" add note text");
        scenario.awaitBlockedBy(migration, holder);
        assertThat(pglock("tree").succeeded().out()).contains("(row (0,1) of \"Odd 'lines\")");
    }

    @Test
    void namesAdvisoryKeys() {
        List<String> keys = List.of(
                "72707369", // Prisma
                "77431708279161 + 12345", // a Flyway
                "-987654321");
        for (int i = 0; i < keys.size(); i++) {
            scenario.session("holder-" + i).execute("select pg_advisory_lock(" + keys.get(i) + ")");
            scenario.session("waiter-" + i).start("select pg_advisory_lock(" + keys.get(i) + ")");
            scenario.awaitBlocked(scenario.session("waiter-" + i));
        }

        assertThat(pglock("tree").succeeded().out())
                .contains(
                        "advisory lock 72707369 of database " + database.name() + " (Prisma Migrate)",
                        "advisory lock 77431708291506 of database " + database.name() + " (Flyway, likely)")
                .containsPattern("advisory lock -987654321 of database \\S+ +held: EXCLUSIVE");
    }

    @Test
    void aPreparedTransactionIsARoot() {
        scenario.assumePreparedTransactions();
        holder.execute("begin", "insert into orders values (1)", "prepare transaction 'forgotten'");
        migration.start("alter table orders add extra int");
        scenario.awaitBlocked(migration);

        assertThat(pglock("tree", "--on", "orders").succeeded().lines().get(0))
                .startsWith("prepared \"forgotten\"")
                .contains("blocks 1");
        holder.execute("rollback prepared 'forgotten'");
    }

    @Test
    void saysWhatARoleCannotSee() {
        Role role = scenario.role("nobody");
        readersBehindAMigrationBehindAnIdleTransaction();

        Cli.Ended tree = as(role).run("tree");
        assertThat(tree.code()).isZero();
        assertThat(tree.lines()).hasSize(3);
        assertThat(tree.out()).contains("state hidden");
        assertThat(tree.err()).contains("GRANT pg_read_all_stats TO \"" + role.name() + "\"");

        for (String command : new String[] {"ls", "tree"}) {
            Cli.Ended checked = as(role).run(command, "--check", "-f", "activity__query__icontains=orders");
            assertThat(checked.code()).as(command).isEqualTo(77);
            assertThat(checked.err()).contains("whether anybody waits of whom the filters are true");
            Cli.Ended elsewhere =
                    as(role).run(command, "--check", "-f", "activity__query__icontains=orders", "-f", "rel_name=items");
            assertThat(elsewhere.code()).as(command).isZero();
        }
        assertThat(as(role).run("--check", "-f", "wait_duration__gt=1h", "--on", "orders")
                        .code())
                .as("for how long is known of everybody since PostgreSQL 14")
                .isEqualTo(scenario.database().server().majorVersion() >= 14 ? 0 : 77);
    }

    private void readersBehindAMigrationBehindAnIdleTransaction() {
        holder.execute("begin", "select * from orders");
        migration.start("alter table orders add extra int /*route='%2Forders',shop='4%207'*/");
        scenario.awaitBlockedBy(migration, holder);
        web.start("select count(*) from orders");
        scenario.awaitBlockedBy(web, migration);
    }

    private Cli as(Role role) {
        return Cli.on(database).environment("PGUSER", role.name()).environment("PGPASSWORD", role.password());
    }

    private Cli.Ended pglock(String... words) {
        return Cli.on(database).run(words);
    }
}
