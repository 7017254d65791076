// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import org.junit.jupiter.api.Test;

/** A job of Quartz's in two JVMs that know nothing of each other, nor of pglock. */
@PostgresTest
class AgentQuartzTest {

    private static final String WAITING =
            "select pid from pg_locks where relation = 'report'::regclass and not granted";

    @Test
    void runsInOneJvmAtATime(Database database, Scenario scenario) {
        Session test = scenario.session("test");
        test.execute("create table report (at timestamptz default clock_timestamp())");
        Session gate = scenario.session("gate");
        gate.begin();
        gate.execute("lock table report in share mode");

        try (ForkedJvm first = start(database);
                ForkedJvm second = start(database)) {
            scenario.await("one of them to work", () -> test.execute(WAITING).size() == 1);
            String working = test.value(WAITING);
            scenario.await("both to have passed over it", () -> skipped(first) > 1 && skipped(second) > 1);
            assertThat(test.execute(WAITING)).containsExactly(working);
            assertThat(test.value("select count(*) from report")).isEqualTo("0");

            gate.commit();
            scenario.await(
                    "it to be done, and to be done again",
                    () -> Integer.parseInt(test.value("select count(*) from report")) > 1);
        }
    }

    private static long skipped(ForkedJvm jvm) {
        return jvm.output().stream()
                .filter(line -> line.contains("QuartzHost$Report.execute: skipped."))
                .count();
    }

    private static ForkedJvm start(Database database) {
        return ForkedJvm.running(QuartzHost.class)
                .java(AgentJar.newestJvm())
                .classPath(ClassPath.of("quartz", "slf4j", "postgresql"))
                .options(
                        "-XX:TieredStopAtLevel=1",
                        AgentJar.with(
                                "target=" + QuartzHost.Report.class.getName() + "#execute",
                                "advisory=report",
                                "advisoryTimeout=0s",
                                "onTimeout=skip",
                                "lockTimeout=none",
                                "prioritize=off"))
                .database(database)
                .start();
    }
}
