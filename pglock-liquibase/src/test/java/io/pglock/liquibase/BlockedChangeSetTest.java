// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pglock.testkit.Database;
import io.pglock.testkit.Role;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.FutureTask;
import javax.sql.DataSource;
import liquibase.Liquibase;
import liquibase.Scope;
import liquibase.database.DatabaseFactory;
import liquibase.database.jvm.JdbcConnection;
import liquibase.resource.DirectoryResourceAccessor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Proves(Capability.PRIORITIZE)
class BlockedChangeSetTest extends LiquibaseScene {

    private static final String WAITS_FOR_ORDERS =
            "select count(*) from pg_locks where relation = 'orders'::regclass and not granted";

    BlockedChangeSetTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    @BeforeEach
    void blockedOnOrders() {
        changeSet("");
    }

    private void changeSet(String attributes) {
        changelog.xml("<changeSet id=\"1\" author=\"bob\" " + attributes
                + "><addColumn tableName=\"orders\"><column name=\"note\" type=\"text\"/></addColumn></changeSet>");
    }

    /** Signals after 100 ms, and tries once; these settings on top. */
    private static Map<String, String> signalling(String... more) {
        Map<String, String> settings = settings(
                "lockTimeout", "25s",
                "retryDeadline", "0s",
                "prioritizeAfter", "100ms",
                "prioritizeGrace", "200ms",
                "maxBlockedTime", "none");
        for (int i = 0; i < more.length; i += 2) {
            settings.put(more[i], more[i + 1]);
        }
        return settings;
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "runInTransaction=\"false\""})
    void getsThroughASessionThatIsIdleInATransactionAndSparesThoseWhoQueue(String attributes) throws Exception {
        changeSet(attributes);
        Session web = reader("web");
        Session bystander = scenario.session("bystander");
        bystander.begin();
        bystander.execute("select * from items");

        FutureTask<Boolean> updating = inBackground(signalling("prioritize", "terminate", "prioritizeAfter", "1s"));
        scenario.await(
                "the changeset waits for orders", () -> value(WAITS_FOR_ORDERS).equals("1"));
        Session queued = scenario.session("queued");
        Running waiting = queued.start("select count(*) from orders");
        await(updating);

        scenario.awaitGone(web.pid());
        assertThat(waiting.result()).containsExactly("0");
        bystander.commit();
        assertThat(history()).isEqualTo("1 EXECUTED");
        assertThat(said())
                .anySatisfy(line -> assertThat(line)
                        .startsWith("WARNING pglock: changelog.xml::1::bob: ")
                        .contains("Terminated pid " + web.pid() + " (web, idle in transaction for "))
                .noneSatisfy(line -> assertThat(line).contains("pid " + queued.pid()));
    }

    @Test
    void getsThroughARunningStatementByCancellingIt() throws Exception {
        Session report = scenario.session("report");
        Running reading = report.start("select pg_sleep(60) from (select count(*) from orders) as counted");
        scenario.await(
                "the report holds its lock",
                () -> value("select count(*) from pg_locks where relation = 'orders'::regclass and granted")
                        .equals("1"));

        update(signalling("prioritize", "cancel"));

        assertThat(reading.awaitFailure().getSQLState()).isEqualTo("57014");
        assertThat(history()).isEqualTo("1 EXECUTED");
    }

    @Test
    void namesThePreparedTransactionThatNobodyCanSignal() throws Exception {
        scenario.assumePreparedTransactions();
        Session coordinator = scenario.session("coordinator");
        coordinator.begin();
        coordinator.execute("select * from orders", "prepare transaction 'of-orders'");
        try {
            assertThatThrownBy(() -> update(signalling("prioritize", "terminate", "lockTimeout", "1500ms")))
                    .hasStackTraceContaining("canceling statement due to lock timeout");

            assertThat(said()).anySatisfy(line -> assertThat(line).contains("ROLLBACK PREPARED 'of-orders'"));
        } finally {
            coordinator.execute("rollback prepared 'of-orders'");
        }
    }

    // ---- where the side connection comes from -----------------------------------------------------------------------

    private void update(Connection connection, String... settings) throws Exception {
        Map<String, Object> scope = new HashMap<>(Map.of(Scope.Attr.logService.name(), log));
        signalling(settings).forEach((key, value) -> scope.put("liquibase.pglock." + key, value));
        Scope.child(
                scope,
                () -> new Liquibase(
                                "changelog.xml",
                                new DirectoryResourceAccessor(changelog.folder()),
                                DatabaseFactory.getInstance()
                                        .findCorrectDatabaseImplementation(new JdbcConnection(connection)))
                        .update(""));
    }

    @Test
    @Proves({Capability.FOUND, Capability.PRIORITIZE})
    void findsItsWayBesideABareConnectionWhereTheServerAsksForNoPassword() throws Exception {
        Session web = reader("web");
        try (Connection connection = dataSource.getConnection()) {
            update(connection, "prioritize", "terminate");
        }

        scenario.awaitGone(web.pid());
    }

    @Test
    @Proves({Capability.FOUND, Capability.PRIORITIZE})
    void usesWhatLiquibaseOpensItsConnectionWith(Database database) throws Exception {
        Role owner = scenario.role("owner", "all on schema public", "create on database " + database.name());
        try (Connection setUp = dataSource.getConnection()) {
            execute(setUp, "alter table orders owner to " + owner.name());
            execute(setUp, "grant pg_signal_backend, pg_read_all_stats to " + owner.name());
        }
        try (Connection web = scenario.connectAs(scenario.role("web", "select on orders"))) {
            web.setAutoCommit(false);
            execute(web, "select * from orders");
            Map<String, Object> scope = new HashMap<>(Map.of(Scope.Attr.logService.name(), log));
            signalling("prioritize", "terminate").forEach((key, value) -> scope.put("liquibase.pglock." + key, value));
            Scope.child(scope, () -> {
                liquibase.database.Database opened = DatabaseFactory.getInstance()
                        .openDatabase(
                                database.url(),
                                owner.name(),
                                owner.password(),
                                null,
                                new DirectoryResourceAccessor(changelog.folder()));
                try {
                    new Liquibase("changelog.xml", new DirectoryResourceAccessor(changelog.folder()), opened)
                            .update("");
                } finally {
                    opened.close();
                }
            });

            assertThat(history()).isEqualTo("1 EXECUTED");
            assertThat(said()).anySatisfy(line -> assertThat(line).contains("Terminated pid "));
        }
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "drop table databasechangelog, databasechangeloglock, orders");
        }
    }

    @Test
    void warnsOnceAndGoesOnWhereNoneCanBeOpened() throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob"><sql>select pg_sleep(3); alter table orders add note text</sql></changeSet>
                <changeSet id="2" author="bob"><sql>select pg_sleep(0.3); alter table items add note text</sql></changeSet>
                """);
        HikariConfig config = new HikariConfig();
        config.setDataSource(dataSource);
        config.setMaximumPoolSize(1);
        config.setConnectionTimeout(250);
        try (HikariDataSource pool = new HikariDataSource(config)) {
            liquibase(pool, settings("monitorRequired", "false"), liquibase -> liquibase.update(""));
        }

        assertThat(history()).isEqualTo("1 EXECUTED, 2 EXECUTED");
        assertThat(said())
                .singleElement()
                .asString()
                .startsWith("WARNING pglock: changelog.xml::1::bob: ")
                .contains("no side connection");
    }

    @Test
    void refusesTheFirstChangesetWithoutOneThatIsRequired() {
        assertThatThrownBy(() -> update(settings("monitorUrl", "jdbc:postgresql://127.0.0.1:1/none")))
                .hasStackTraceContaining(
                        "changelog.xml::1::bob: not begun, because monitorRequired=true and nobody can watch: ");

        assertThat(value("select count(*) from databasechangelog")).isEqualTo("0");
        assertThat(value("select locked from databasechangeloglock")).isEqualTo("f");
    }

    @Test
    void saysWhatRightIsMissingAndGoesOn(Database database) throws Exception {
        Role owner = scenario.role("owner", "all on schema public", "create on database " + database.name());
        try (Connection setUp = dataSource.getConnection()) {
            execute(setUp, "alter table orders owner to " + owner.name());
        }
        try (Connection web = scenario.connectAs(scenario.role("web", "select on orders"));
                Connection own = scenario.connectAs(owner)) {
            web.setAutoCommit(false);
            execute(web, "select * from orders");
            FutureTask<Boolean> updating = new FutureTask<>(() -> {
                update(
                        own,
                        "prioritize",
                        "terminate",
                        "monitorUrl",
                        database.url(),
                        "monitorUser",
                        owner.name(),
                        "monitorPassword",
                        owner.password());
                return true;
            });
            new Thread(updating, "liquibase").start();
            awaitLog("pg_signal_backend TO " + owner.name());
            web.rollback();

            await(updating);
        }
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "drop table databasechangelog, databasechangeloglock, orders");
        }
    }
}
