// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Two instances of a Spring Boot application with a scheduled job and JPA, and nothing of pglock but the agent. */
@PostgresTest
class AgentSpringBootTest {

    private static final Path JAR =
            Path.of(System.getProperty("pglock.hosts.agent-scheduled"), "target", "nightly.jar");
    private static final String APPLICATION = "io.pglock.examples.nightly.";

    /** From one tick to the next. */
    private static final int SECONDS = 2;

    private static final int JOB = 4711;
    private static final int COUNT = 4712;
    private static final int REFILL = 4713;

    private static final String AGENT = AgentJar.with(
            "target=@org.springframework.scheduling.annotation.Scheduled",
            "advisory=" + JOB,
            "advisoryTimeout=0s",
            "onTimeout=skip",
            "lockTimeout=none",
            "prioritize=off",
            "target=" + APPLICATION + "Nightly#count",
            "advisory=" + COUNT,
            "lockTimeout=2m",
            "prioritize=off",
            "target=" + APPLICATION + "Stock#refill",
            "advisory=" + REFILL,
            "lockTimeout=5s");

    @TempDir
    Path folder;

    static Stream<Path> jvms() {
        return AgentJar.jvms();
    }

    @ParameterizedTest
    @MethodSource("jvms")
    void runsOnceAndIsGuardedUntilItsTransactionIsCommitted(Path java, Database database, Scenario scenario)
            throws Exception {
        Session test = shop(scenario);
        Session gate = scenario.session("gate");
        gate.begin();
        gate.execute("lock table counted in share mode");

        try (HostProcess first = start(java, database);
                HostProcess second = start(java, database)) {
            oneCountsAndTheOtherPassesOver(scenario, first, second);

            Session keeper = scenario.session("keeper");
            keeper.begin();
            keeper.execute("select * from article for update");
            gate.commit();
            whatIsWrittenAtTheCommitStillWaitsUnderTheLocks(scenario, keeper);
            scenario.await(
                    "it to give up", () -> output(first, second).contains("canceling statement due to lock timeout"));
            assertThat(output(first, second)).contains("blocked by pid " + keeper.pid() + " (keeper");

            keeper.commit();
            scenario.await(
                    "the shelves to be filled",
                    () -> !test.value("select pieces from article").equals("0"));
            atEveryTickOneOfThemCounts(scenario);
            assertThat(first.isAlive() && second.isAlive()).isTrue();
        }
    }

    /** The transaction is begun for the interface's {@code refill(Object)}, and the body is that of {@code refill(Articles)}. */
    @ParameterizedTest
    @MethodSource("jvms")
    void isGuardedUntilThenBehindAnInterfaceToo(Path java, Database database, Scenario scenario) throws Exception {
        Session test = shop(scenario);
        Session keeper = scenario.session("keeper");
        keeper.begin();
        keeper.execute("select * from article for update");

        try (HostProcess host = start(java, database, "--spring.aop.proxy-target-class=false")) {
            whatIsWrittenAtTheCommitStillWaitsUnderTheLocks(scenario, keeper);
            keeper.commit();
            scenario.await(
                    "the shelves to be filled",
                    () -> !test.value("select pieces from article").equals("0"));
            assertThat(host.isAlive()).isTrue();
        }
    }

    private static Session shop(Scenario scenario) {
        Session test = scenario.session("test");
        test.execute(
                "drop table if exists article, counted",
                "create table article (id int primary key, pieces int not null)",
                "create table counted (at timestamptz default clock_timestamp(), pieces int)",
                "insert into article values (1, 0)");
        return test;
    }

    /** A job that lasts for longer than one of them is behind the other is done once at each tick. */
    private static void atEveryTickOneOfThemCounts(Scenario scenario) {
        Session test = scenario.session("test");
        test.execute(
                """
                create or replace function slowly() returns trigger language plpgsql as
                $$ begin perform pg_sleep(1.2); return new; end $$""",
                "create trigger slowly before insert on counted for each row execute procedure slowly()",
                "delete from counted");
        String tick = "floor(extract(epoch from at) / " + SECONDS + ")";
        scenario.await(
                "4 ticks",
                () -> test.value("select count(distinct " + tick + ") from counted")
                        .equals("4"));
        assertThat(test.execute("select count(*) from counted group by " + tick))
                .containsOnly("1");
    }

    /** Its private method, which it calls itself, has a lock of its own. */
    private static void oneCountsAndTheOtherPassesOver(Scenario scenario, HostProcess first, HostProcess second) {
        Session test = scenario.session("test");
        String counting = "select pid from pg_locks where relation = 'counted'::regclass and not granted";
        scenario.await("one of them to count", () -> {
            assertThat(first.isAlive() && second.isAlive())
                    .as(output(first, second))
                    .isTrue();
            return test.execute(counting).size() == 1;
        });
        String pid = test.value(counting);
        scenario.await("the other one to pass over it", () -> skipped(first) + skipped(second) > 1);
        assertThat(test.execute(counting)).as("who counts").containsExactly(pid);
        assertThat(held(test)).containsExactly(JOB + "|t", COUNT + "|t");
        assertThat(first.isAlive() && second.isAlive()).isTrue();
    }

    private static void whatIsWrittenAtTheCommitStillWaitsUnderTheLocks(Scenario scenario, Session keeper) {
        Session test = scenario.session("test");
        String blocked = "select query from pg_stat_activity where " + keeper.pid() + " = any (pg_blocking_pids(pid))";
        scenario.await(
                "the write of a commit to wait",
                () -> test.execute(blocked).stream().anyMatch(query -> query.startsWith("update article")));
        assertThat(held(test)).as("held while the transaction commits").contains(JOB + "|t", REFILL + "|t");
        assertThat(test.value("select pg_try_advisory_lock(" + REFILL + ")")).isEqualTo("f");
    }

    /** The advisory locks that are held. */
    private static List<String> held(Session test) {
        return test.execute("select objid, granted from pg_locks where locktype = 'advisory' and database ="
                + " (select oid from pg_database where datname = current_database()) order by objid");
    }

    private static int skipped(HostProcess host) {
        return host.output().split("Nightly\\.run: skipped\\.", -1).length - 1;
    }

    private static String output(HostProcess first, HostProcess second) {
        return first.output() + second.output();
    }

    private HostProcess start(Path java, Database database, String... settings) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                java.toString(),
                AGENT,
                "-jar",
                JAR.toRealPath().toString(),
                "--shop.nightly=*/" + SECONDS + " * * * * *",
                "--spring.sql.init.mode=never",
                "--spring.datasource.url=" + database.url(),
                "--spring.datasource.username=" + database.user(),
                "--spring.datasource.password=" + database.password()));
        command.addAll(List.of(settings));
        return HostProcess.start(new ProcessBuilder(command), folder);
    }
}
