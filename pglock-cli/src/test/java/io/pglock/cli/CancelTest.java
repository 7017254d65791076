// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.QueueScene;
import io.pglock.testkit.Role;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code pglock cancel} and {@code pglock terminate}: who is hit, and who is not. */
@Tag("versions")
class CancelTest extends QueueScene {

    private final Database database;

    CancelTest(Database database, Scenario scenario) {
        super(scenario);
        this.database = database;
    }

    private String server() {
        return database.server().host() + ":" + database.server().port() + ", database " + database.name() + ", as "
                + database.user();
    }

    @Test
    void showsWhoWillBeHitAndSendsNothingInADryRun() {
        holder.execute("begin", "select * from orders");

        Cli.Ended dry = pglock("terminate", "--dry-run", Integer.toString(holder.pid()));

        assertThat(dry.code()).isZero();
        assertThat(dry.err()).isEqualTo("pglock: a dry run on " + server() + ": nothing was sent\n");
        assertThat(dry.lines()).hasSize(2);
        assertThat(dry.lines().get(0)).matches("PID +USER +APPLICATION +STATE +TRANSACTION +QUERY");
        assertThat(dry.lines().get(1))
                .matches(holder.pid() + " +" + database.user()
                        + " +holder +idle in transaction for \\S+ +open for \\S+ +select \\* from orders");
        assertThat(holder.value("select 1")).isEqualTo("1");
    }

    @Test
    void ofSeveralHostsTheOneThatIsHitIsNamed() {
        holder.execute("begin", "select * from orders");
        Cli several = Cli.on(database)
                .environment("PGHOST", "127.0.0.1," + database.server().host())
                .environment("PGPORT", "1," + database.server().port());
        for (String[] words : new String[][] {{"terminate"}, {"ls", "--terminate"}}) {
            Cli.Ended dry =
                    several.run(Stream.concat(Stream.of(words), Stream.of("--dry-run", Integer.toString(holder.pid())))
                            .toArray(String[]::new));
            assertThat(dry.err()).isEqualTo("pglock: a dry run on " + server() + ": nothing was sent\n");
        }
    }

    @Test
    void terminatesWhoIsNamedWhenSomebodySaysYes() {
        holder.execute("begin", "select * from orders");
        web.execute("begin", "select * from orders");

        Cli.Ended done = Cli.on(database).input("y\n").run("terminate", Integer.toString(holder.pid()));

        assertThat(done.code()).isZero();
        assertThat(done.err()).isEqualTo("Terminate 1 session on " + server() + "? (y/[n]) ");
        assertThat(done.lines().get(2)).startsWith("Terminated pid " + holder.pid() + " (holder, idle in transaction");
        scenario.awaitGone(holder.pid());
        assertThat(web.value("select 1")).isEqualTo("1");
    }

    @Test
    void withoutAYesNothingIsSent() {
        holder.execute("begin", "select * from orders");
        String pid = Integer.toString(holder.pid());

        Cli.Ended no = Cli.on(database).input("\n").run("terminate", pid);
        assertThat(no.code()).isEqualTo(1);
        assertThat(no.err()).isEqualTo("Terminate 1 session on " + server() + "? (y/[n]) pglock: nothing was sent\n");
        Cli.Ended nobody = pglock("terminate", pid);
        assertThat(nobody.code()).isEqualTo(1);
        assertThat(nobody.err()).contains("nobody answered: nothing was sent. With -y it does not ask.");
        assertThat(holder.value("select 1")).isEqualTo("1");
    }

    /** django-pglock, asked to end the blockers, ends those queued ahead as well. */
    @Test
    void endsWhoIsInTheWayAndNobodyWhoIsMerelyQueuedAhead() {
        holder.execute("begin", "select * from orders");
        Running altering = migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);
        Running reading = web.start("select count(*) from orders");
        scenario.awaitBlockedBy(web, migration);

        Cli.Ended done =
                pglock("terminate", "--blocking", "--on", "orders", "-y").succeeded();

        assertThat(done.lines()).hasSize(4);
        assertThat(done.lines().get(2)).isEqualTo("Terminating 1 session on " + server() + ".");
        assertThat(done.lines().get(3)).startsWith("Terminated pid " + holder.pid() + " ");
        altering.await();
        assertThat(reading.result()).containsExactly("0");
    }

    @Test
    void cancelsAStatementAndSaysWhereThereIsNone() {
        holder.execute("begin", "select * from orders");
        web.execute("begin", "select * from orders");
        Running report = holder.start("select pg_sleep(60)");
        scenario.awaitState(holder, "active");

        Cli.Ended done = pglock("cancel", "--on", "orders", "-y");

        assertThat(done.code()).isZero();
        assertThat(done.lines()).hasSize(4);
        assertThat(done.lines().get(3)).startsWith("Cancelled the statement of pid " + holder.pid() + " ");
        assertThat(done.err())
                .startsWith("pglock: pid " + web.pid() + " (web, idle in transaction")
                .contains("left alone, it runs no statement that could be cancelled");
        assertThat(report.awaitFailure().getSQLState()).isEqualTo("57014");

        Cli.Ended idle = pglock("cancel", "-y", Integer.toString(web.pid()));
        assertThat(idle.code()).isEqualTo(1);
        assertThat(idle.err()).endsWith("pglock: nothing to cancel\n");
    }

    /** However many work for it, and whether its own locks were asked for or theirs. */
    @Test
    void aSessionWithParallelWorkersIsOne() {
        database.server().assumeAtLeast(13); // before, nobody says for whom a worker works
        holder.execute(
                "insert into orders select generate_series(1, 10000)",
                "alter table orders set (parallel_workers = 3)",
                "set parallel_setup_cost = 0",
                "set parallel_tuple_cost = 0",
                "set min_parallel_table_scan_size = 0",
                "set max_parallel_workers_per_gather = 3");
        Running report =
                holder.start("select count(*) from orders where clock_timestamp() is null or pg_sleep(0.05) is null");
        scenario.await(
                "two workers to help the report",
                () -> Integer.parseInt(
                                web.value("select count(*) from pg_stat_activity where leader_pid = " + holder.pid()))
                        > 1);

        for (String whose : new String[] {"activity_id=" + holder.pid(), "activity__leader_pid=" + holder.pid()}) {
            Cli.Ended dry = pglock("cancel", "--dry-run", "--on", "orders", "-f", whose);
            assertThat(dry.lines()).as(whose).hasSize(2);
            assertThat(dry.lines().get(1)).as(whose).startsWith(holder.pid() + " ");
        }
        Cli.Ended done = pglock("cancel", "-y", "--on", "orders").succeeded();
        assertThat(done.lines()).hasSize(4);
        assertThat(done.lines().get(3)).startsWith("Cancelled the statement of pid " + holder.pid() + " ");
        assertThat(report.awaitFailure().getSQLState()).isEqualTo("57014");
    }

    @Test
    void saysThatThereIsNothingToDo() {
        Cli.Ended nothing = pglock("terminate", "-y", "--blocking");
        assertThat(nothing.code()).isZero();
        assertThat(nothing.err()).isEqualTo("pglock: nothing to terminate\n");
        Cli.Ended idle = pglock("terminate", "-y", Integer.toString(web.pid()));
        assertThat(idle.code()).isZero();
        assertThat(idle.err())
                .isEqualTo("pglock: pid " + web.pid()
                        + " has no such lock and waits for none\npglock: nothing to terminate\n");
        assertThat(web.value("select 1")).isEqualTo("1");
    }

    /** It counts locks, and a session that has one beyond it has one. */
    @Test
    void onlyALimitThatWasMeantForItKeepsSessionsOut(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("pglock.toml"), "[defaults]\nlimit = 1\n");
        holder.execute("begin", "select * from orders");
        web.execute("begin", "select * from orders");
        String[] pids = {Integer.toString(holder.pid()), Integer.toString(web.pid())};

        Cli.Ended all = Cli.on(database)
                .environment("PGLOCK_CONFIG", file.toString())
                .run("terminate", "--dry-run", pids[0], pids[1]);
        assertThat(all.err()).isEqualTo("pglock: a dry run on " + server() + ": nothing was sent\n");
        assertThat(all.lines()).hasSize(3);

        Cli.Ended one = pglock("terminate", "--dry-run", "--limit", "1", "--on", "orders", pids[0], pids[1]);
        assertThat(one.err()).isEqualTo("""
                pglock: only 1 of 2 rows are looked at; --limit none looks at all
                pglock: a dry run on %s: nothing was sent
                """.formatted(server()));
        assertThat(one.lines()).hasSize(2);
    }

    /** A variable of a shell that is not set, for one. */
    @Test
    void refusesAFilterThatIsTrueForEverybody() {
        for (String filter : new String[] {"contains", "icontains", "startswith", "endswith", "regex"}) {
            Cli.Ended refused = Cli.bare().run("terminate", "-y", "-f", "activity__application_name__" + filter + "=");
            assertThat(refused.code()).isEqualTo(1);
            assertThat(refused.err())
                    .isEqualTo("pglock: the filter activity__application_name__" + filter
                            + "=: the value is empty, and every text has that in it; write a part of"
                            + " activity__application_name, or leave the filter out\n");
        }
    }

    /** {@code "^$APP"}, where APP is not set. */
    @Test
    void refusesARegularExpressionThatIsInEveryText() {
        holder.execute("begin", "select * from orders");
        for (String filter : new String[] {
            "regex=^",
            "regex=report|",
            "iregex=(|report)",
            "regex=.*",
            "regex=^|web",
            "regex=^(?!$)",
            "regex=\\b\\b",
            "regex=.$",
            "regex=^\\w",
            "regex=^\\b",
            "regex=^\\S+",
            "regex=^[A-Za-z0-9]",
            "regex=^(?!-\\d+)",
            "regex=^(?!-[0-9])",
            "regex=report|^(?!-\\d)",
            "regex=^(?!\\.)"
        }) {
            Cli.Ended refused = pglock("terminate", "-y", "-f", "activity__application_name__" + filter);
            assertThat(refused.code()).as(filter).isEqualTo(1);
            assertThat(refused.err())
                    .isEqualTo("pglock: the filter activity__application_name__" + filter
                            + ": nearly every text has that in it, as where a variable is not set; write what only those have who"
                            + " are meant, or leave the filter out\n");
        }
        for (String filter : new String[] {
            "regex=^(?!web)",
            "regex=^hold",
            "iregex=HOLDER|report",
            "regex=^(?!report-\\d+)",
            "regex=^(?!report-[a-c])",
            "regex=^(?!\\w+-batch$)",
            "regex=^(?![A-Z]{3})",
            "regex=^(?!10\\.0\\.)",
            "regex=^(?!cron:)",
            "regex=^(?!com\\.acme\\.)",
            "regex=^(?!web-\\d{3}$)",
            "regex=^(?!SELECT\\s)",
            "regex=^hold(?!-\\d)",
            "regex=(?<!-)older$",
            "regex=^holder(?!_)",
            "regex=^\\D*$",
            "regex=^.{0,20}$"
        }) {
            assertThat(pglock("cancel", "--dry-run", "--on", "orders", "-f", "activity__application_name__" + filter)
                            .err())
                    .as(filter)
                    .contains("pid " + holder.pid());
        }
        assertThat(pglock("cancel", "--dry-run", "--on", "orders", "-f", "activity__state__regex=^(?!active_)")
                        .err())
                .contains("pid " + holder.pid());
        assertThat(pglock("terminate", "-y", "-f", "activity__application_name__regex=^$")
                        .code())
                .isZero();
        assertThat(holder.value("select 1")).isEqualTo("1");
    }

    /** {@code 23:00} of yesterday, after midnight, or where the clock on the wall is ahead. */
    @Test
    void refusesAPointInTimeThatHasNotComeYet() {
        holder.execute("begin", "select * from orders");
        String[] terminate = {"terminate", "-y", "--on", "orders", "-f", ""};
        for (String filter : new String[] {"lt=23:59:59.999", "lte=2999-01-01", "ne=2999-01-01"}) {
            terminate[5] = "activity__xact_start__" + filter;
            Cli.Ended refused = pglock(terminate);
            assertThat(refused.code()).as(refused.toString()).isEqualTo(1);
            assertThat(refused.err())
                    .startsWith("pglock: the filter activity__xact_start__" + filter + ": ")
                    .contains(filter.startsWith("lt=") ? "T23:59:59.999" : "2999-01-01T00:00")
                    .endsWith(" has not come yet, and everything has begun before it; write the date that is meant\n");
        }
        assertThat(pglock("cancel", "--blocking", "-f", "blocking_activity__xact_start__lt=2999-01-01")
                        .err())
                .contains(" has not come yet");
        assertThat(pglock("--terminate", "-y", "-f", "activity__backend_start__lt=2999-01-01")
                        .err())
                .contains(" has not come yet");
        assertThat(pglock("cancel", "--dry-run", "--on", "orders", "-f", "activity__xact_start__gt=2026-01-01")
                        .err())
                .contains("pid " + holder.pid());
        assertThat(pglock("--on", "orders", "-f", "activity__xact_start__lt=2999-01-01", "--csv", "-a", "pid")
                        .succeeded()
                        .lines())
                .as("looking harms nobody")
                .containsExactly("activity_id", Integer.toString(holder.pid()));
        assertThat(holder.value("select 1")).isEqualTo("1");
    }

    @Test
    void refusesAFilterWithNothingToCompareWith() {
        holder.execute("begin", "select * from orders");
        for (String filter : new String[] {"", "__ne", "__iexact", "__in", "__gte"}) {
            Cli.Ended refused = pglock("terminate", "-y", "-f", "activity__application_name" + filter + "=");
            assertThat(refused.code()).isEqualTo(1);
            assertThat(refused.err())
                    .isEqualTo("pglock: the filter activity__application_name" + filter
                            + "=: the value is empty, as of a variable that is not set; to mean those without one, write"
                            + " activity__application_name__isnull=true, or activity__application_name__regex=^$ where it"
                            + " is an empty text\n");
        }
        assertThat(pglock("--terminate", "-y", "-f", "activity__user__in=web,").err())
                .contains("__in=web,: the value is empty");
        assertThat(pglock("cancel", "-y", "-f", "activity__backend_type__ne=").err())
                .contains("__ne=: the value is empty");
        assertThat(pglock("--on", "orders", "-f", "activity__application_name__ne=", "--csv", "-a", "pid")
                        .succeeded()
                        .lines())
                .as("looking harms nobody")
                .containsExactly("activity_id", Integer.toString(holder.pid()));
        assertThat(holder.value("select 1")).isEqualTo("1");
    }

    @Test
    void whatIsTypedNarrowsAProfileThatEndsSessions(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("pglock.toml"), """
                [profiles.end-holders]
                terminate = true
                yes = true
                filters = ["activity__application_name=holder"]
                on = ["orders"]
                """);
        Cli cli = Cli.on(database).environment("PGLOCK_CONFIG", file.toString());
        holder.execute("begin", "select * from orders");
        web.execute("begin", "select * from orders, items");

        for (String word : new String[] {"ls", "terminate"}) {
            Cli.Ended none =
                    cli.run(word, "-c", "end-holders", "-f", "mode=ACCESS SHARE", "-f", "activity_id=" + web.pid());
            assertThat(none.err()).isEqualTo("pglock: nothing to terminate\n");
            Cli.Ended refused = cli.run(word, "-c", "end-holders", "--on", "items");
            assertThat(refused.code()).isEqualTo(1);
            assertThat(refused.err())
                    .isEqualTo(
                            "pglock: --on items: the profile signals only those on orders; name one of these, or leave"
                                    + " the profile out\n");
        }
        Cli.Ended done = cli.run("-c", "end-holders", "-f", "mode=ACCESS SHARE", "--on", "orders");
        assertThat(done.lines().get(3)).startsWith("Terminated pid " + holder.pid() + " ");
        assertThat(web.value("select 1")).isEqualTo("1");
    }

    @Test
    void refusesToEndEverybody() {
        Cli.Ended refused = pglock("terminate", "-y");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err()).startsWith("pglock: this would terminate every session on the server. Say which: ");
        assertThat(refused.out()).isEmpty();
    }

    /** django-pglock reports pid 0 as handled. */
    @Test
    void tellsHowAPreparedTransactionIsEnded() {
        scenario.assumePreparedTransactions();
        holder.execute("begin", "insert into orders values (1)", "prepare transaction 'forgotten'");
        migration.start("alter table orders add note text");
        scenario.awaitBlocked(migration);

        Cli.Ended told = pglock("terminate", "--blocking", "--on", "orders", "-y");

        assertThat(told.code()).isEqualTo(1);
        assertThat(told.out()).isEmpty();
        assertThat(told.err())
                .contains("prepared transaction \"forgotten\"", "ROLLBACK PREPARED 'forgotten'", "left alone")
                .endsWith("pglock: nothing to terminate\n");
        holder.execute("rollback prepared 'forgotten'");
    }

    @Test
    void namesTheGrantThatIsMissing() {
        Role role = scenario.role("reader", "pg_read_all_stats");
        holder.execute("begin", "select * from orders");

        Cli.Ended refused = Cli.on(database)
                .environment("PGUSER", role.name())
                .environment("PGPASSWORD", role.password())
                .run("terminate", "-y", Integer.toString(holder.pid()));

        assertThat(refused.code()).isEqualTo(77);
        assertThat(refused.err())
                .startsWith("pglock: pid " + holder.pid() + " (holder")
                .containsAnyOf("GRANT pg_signal_backend TO ", "whom only a superuser may signal");
        assertThat(holder.value("select 1")).isEqualTo("1");
    }

    /** Whoever it is about is not found, and that must not look as if nobody was there. */
    @Test
    void saysWhatTheRoleMayNotSee() {
        Role role = scenario.role("blind");
        Cli blind = Cli.on(database).environment("PGUSER", role.name()).environment("PGPASSWORD", role.password());
        holder.execute("begin", "select * from orders");

        Cli.Ended hidden = blind.run("terminate", "-y", "--on", "orders", "-f", "activity__xact_duration__gte=0s");
        assertThat(hidden.code()).isEqualTo(77);
        assertThat(hidden.out()).isEmpty();
        assertThat(hidden.err())
                .startsWith("pglock: State and query of ")
                .containsPattern("To see them: GRANT pg_read_all_stats TO \"?" + role.name())
                .endsWith("pglock: nothing to terminate, of what this role may see\n");

        Cli.Ended nobody =
                blind.run("terminate", "-y", "-f", "rel_name=items", "-f", "activity__xact_duration__gte=0s");
        assertThat(nobody.code())
                .as("what can be seen says that it is not them")
                .isZero();
        assertThat(nobody.err())
                .contains("To see them: GRANT pg_read_all_stats TO ")
                .endsWith("pglock: nothing to terminate\n");

        Cli.Ended inNobodysWay = blind.run("terminate", "-y", "--blocking", "-f", "activity__state=active");
        assertThat(inNobodysWay.code()).as(inNobodysWay.err()).isZero();
        assertThat(inNobodysWay.err()).endsWith("pglock: nothing to terminate\n");

        migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);
        Cli.Ended waiting = blind.run("terminate", "-y", "--blocking", "-f", "activity__state=active");
        assertThat(waiting.code()).isEqualTo(77);
        Cli.Ended others = blind.run(
                "terminate", "-y", "--blocking", "-f", "activity__state=active", "-f", "blocking_activity_id=1");
        assertThat(others.code()).as("who is in the way can be seen").isZero();
        Cli.Ended blocking =
                blind.run("terminate", "-y", "--blocking", "-f", "blocking_activity__state=idle in transaction");
        assertThat(blocking.code()).isEqualTo(77);
        assertThat(holder.value("select 1")).isEqualTo("1");
    }

    /** What a query says is shown to somebody who decides: it must not be able to write over his screen. */
    @Test
    void whatAQuerySaysCannotMoveTheCursor() {
        holder.execute("begin", "select 1 /* \u001b[2J\u0007 */ from orders");

        assertThat(pglock("terminate", "--dry-run", "--on", "orders").out())
                .contains("select 1 /* ?[2J? */ from orders");
    }

    private Cli.Ended pglock(String... words) {
        return Cli.on(database).run(words);
    }
}
