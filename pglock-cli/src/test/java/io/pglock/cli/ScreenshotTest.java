// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockKey;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;

/**
 * The pictures in the README are of real terminal sessions. Every build takes them; {@code
 * -Dpglock.screenshots=docs/images} puts them where the README has them from.
 */
@PostgresTest
class ScreenshotTest {

    private static final int WIDE = 215;

    @Test
    void takesPicturesOfTreeAndWatch(Database database, Scenario scenario) throws Exception {
        try (Jam jam = new Jam(scenario)) {
            try (Tmux terminal = Tmux.start(Cli.on(database), "tree", "--key-name", "nightly-report")) {
                terminal.await("flyway", "web-2", "worker-2", "nightly-report");
                terminal.awaitExit();
                terminal.resize(WIDE, 14);
                terminal.await("unbroken lines", screen -> screen.lines().anyMatch(line -> line.length() > 120));
                take("tree", "pglock tree", terminal.styledScreen(), "flyway", "orders");
            }
            try (Tmux terminal = Tmux.start(Cli.on(database), "watch", "--key-name", "nightly-report")) {
                terminal.resize(WIDE, 20).await("flyway", "web-2", "worker-2", "held: EXCLUSIVE", "delete from");
                take("watch", "pglock watch", terminal.styledScreen(), "flyway", "orders");
                terminal.keys("q");
                assertThat(terminal.awaitExit()).isZero();
            }
        }
    }

    /** What an operator sees on a bad day: a migration behind a forgotten transaction, a row, a job that waits for itself. */
    private static final class Jam implements AutoCloseable {

        private final Scenario scenario;

        Jam(Scenario scenario) {
            this.scenario = scenario;
            Session tool = scenario.session("support-tool");
            tool.execute(
                    "create table orders (id int primary key, total numeric)",
                    "insert into orders select i, i from generate_series(1, 50) i",
                    "create table customers (id int primary key, name text)",
                    "insert into customers values (42, 'Ada')");
            tool.begin();
            tool.execute("select total from orders where id = 17");
            Session worker = scenario.session("worker-1");
            worker.begin();
            worker.execute("update customers set name = 'Ada L.' where id = 42");
            Session report = scenario.session("report-1");
            report.begin();
            report.execute("select pg_advisory_xact_lock("
                    + LockKey.named("nightly-report").number() + ")");
            waits("flyway", "alter table orders add column note text");
            waits("web-1", "select * from orders where id = 17");
            waits("web-2", "update orders set total = 18 where id = 18");
            waits("worker-2", "delete from customers where id = 42");
            waits(
                    "report-2",
                    "select pg_advisory_xact_lock("
                            + LockKey.named("nightly-report").number() + ")");
        }

        private void waits(String name, String sql) {
            Session session = scenario.session(name);
            session.start(sql);
            scenario.awaitBlocked(session);
        }

        /** Whoever is in the way goes first. */
        @Override
        public void close() {
            for (String name : new String[] {"support-tool", "worker-1", "report-1"}) {
                scenario.session(name).rollback();
            }
        }
    }

    private static void take(String name, String title, String screen, String... shown) throws Exception {
        String svg = Screenshot.svg(title, screen);
        String text = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)))
                .getDocumentElement()
                .getTextContent();
        assertThat(text).contains(shown);
        Path folder = Files.createDirectories(Path.of(System.getProperty("pglock.screenshots", "target/screenshots")));
        Files.writeString(folder.resolve(name + ".svg"), svg);
    }
}
