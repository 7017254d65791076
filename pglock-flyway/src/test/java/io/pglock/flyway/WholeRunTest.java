// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.FutureTask;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.core.api.migration.BaseJavaMigration;
import org.flywaydb.core.api.migration.Context;
import org.flywaydb.core.api.output.MigrateResult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link PgLockFlyway#migrate}: a whole run again, and only where nothing of it has been committed. */
@Proves(Capability.WHOLE_RUN)
class WholeRunTest extends FlywayScene {

    WholeRunTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRunIsRepeatedAfterAJavaMigrationIfThatIsInATransaction(boolean inATransaction) {
        Session report = reader("report");
        FluentConfiguration flyway = flyway("pglock.retryDelay", "10ms").javaMigrations(new V1__Java(inATransaction));
        FutureTask<Integer> migrating = new FutureTask<>(() -> repeated(flyway));
        new Thread(migrating, "flyway").start();
        if (!inATransaction) {
            assertThatThrownBy(migrating::get).rootCause().hasMessageContaining("lock timeout");
            return;
        }
        awaitLog("migrate: failed (lock timeout), and is repeated in ");
        report.commit();

        assertThat(await(migrating)).isEqualTo(1);
        assertThat(history()).isEqualTo("1 true");
    }

    /** Three runs at most, should it be repeated. */
    private void assertIsNotRepeated(FluentConfiguration flyway, Session blocker) {
        assertThatThrownBy(() -> PgLockFlyway.migrate(flyway.load()))
                .isInstanceOf(FlywayException.class)
                .rootCause()
                .hasMessageContaining("canceling statement due to lock timeout");
        assertThat(said())
                .anySatisfy(line -> assertThat(line).contains("was blocked by pid " + blocker.pid()))
                .noneSatisfy(line -> assertThat(line).contains("is repeated in "));
    }

    @Test
    void noRunIsRepeatedAfterAScriptThatHasCommitted() {
        migrations.with(
                "V1__half.sql", "insert into items values (1);\ncommit;\nset local lock_timeout = '1s';\n" + ALTER);

        assertIsNotRepeated(flywayOfThreeAttempts(), reader("report"));

        assertThat(value("select count(*) from items")).isEqualTo("1");
    }

    @Test
    void noRunIsRepeatedAfterAJavaMigrationThatHasCommitted() {
        assertIsNotRepeated(flywayOfThreeAttempts().javaMigrations(new V1__Committing()), reader("report"));

        assertThat(value("select count(*) from items")).isEqualTo("1");
    }

    @Test
    void noRunIsRepeatedAfterAMigrationThatIsNotToBeTriedAgain() {
        assertIsNotRepeated(flywayOfThreeAttempts().javaMigrations(new V1__Once()), reader("report"));
    }

    /** Flyway forgets with the group that the first one was applied, and that has committed. */
    @Test
    void noRunIsRepeatedAfterAnEarlierMigrationOfTheGroupHasCommitted() {
        migrations.with("V1__first.sql", "insert into items values (1);\ncommit;");

        assertIsNotRepeated(
                Migrations.configure(flywayOfThreeAttempts(), Map.of("flyway.group", "true"))
                        .javaMigrations(new V2__Java()),
                reader("report"));

        assertThat(value("select count(*) from items")).isEqualTo("1");
    }

    @Test
    void noRunIsRepeatedAfterAnEarlierJavaMigrationOfTheGroupHasCommitted() {
        assertIsNotRepeated(
                Migrations.configure(flywayOfThreeAttempts(), Map.of("flyway.group", "true"))
                        .javaMigrations(new V1__Inserting(true), new V2__Java()),
                reader("report"));

        assertThat(value("select count(*) from items")).isEqualTo("1");
    }

    @Test
    void aRunOfAGroupThatIsUndoneIsRepeated() {
        FluentConfiguration flyway = flyway("pglock.retryDelay", "10ms", "group", "true")
                .javaMigrations(new V1__Inserting(false), new V2__Java());

        assertIsRepeatedUntilItComesThrough(flyway, 2);

        assertThat(value("select count(*) from items")).isEqualTo("1");
        assertThat(history()).isEqualTo("1 true, 2 true");
    }

    @Test
    void aRunOfAGroupIsRepeatedAfterAScriptThatHasNoStatement() {
        migrations.with("V1__nothing.sql", "-- nothing to do any more");

        assertIsRepeatedUntilItComesThrough(
                flyway("pglock.retryDelay", "10ms", "group", "true").javaMigrations(new V2__Java()), 2);
    }

    private void assertIsRepeatedUntilItComesThrough(FluentConfiguration flyway, int migrationsExecuted) {
        Session report = reader("report");

        FutureTask<Integer> migrating = new FutureTask<>(() -> repeated(flyway));
        new Thread(migrating, "flyway").start();
        awaitLog("migrate: failed (lock timeout), and is repeated in ");
        report.commit();

        assertThat(await(migrating)).isEqualTo(migrationsExecuted);
    }

    private void assertIsRepeatedUntilItComesThrough() {
        assertIsRepeatedUntilItComesThrough(flyway("pglock.retryDelay", "10ms"), 1);
    }

    @Test
    void aRunIsRepeatedAfterAQueryWhoseRowsFlywayPrints() throws SQLException {
        migrations.with("V1__query.sql", "select upgrade();");
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, """
                    create or replace function upgrade() returns int language plpgsql as
                    $$ begin alter table orders add column note text; return 42; end $$""");
        }

        assertIsRepeatedUntilItComesThrough();
    }

    @Test
    void aRunIsRepeatedAfterAScriptWithItsData() {
        migrations.with("V1__copy.sql", "copy items from stdin;\n1\n2\n\\.\n" + ALTER);

        assertIsRepeatedUntilItComesThrough();
        assertThat(value("select count(*) from items")).isEqualTo("2");
    }

    @Test
    void aRunWithABadSettingFailsAsFlywaysDo() {
        Flyway flyway = flyway().load();
        pglock(flyway).setLockTimeout("1");

        assertThatThrownBy(() -> PgLockFlyway.migrate(flyway))
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining("lockTimeout=1: a bare number has no unit");
    }

    @SuppressWarnings("deprecation")
    private static PgLockConfiguration pglock(Flyway flyway) {
        return flyway.getConfiguration().getPluginRegister().getPlugin(PgLockConfiguration.class);
    }

    private static int repeated(FluentConfiguration flyway) {
        // docs: flyway-repeat
        MigrateResult result = PgLockFlyway.migrate(flyway.load());
        // end
        return result.migrationsExecuted;
    }

    /** Changes orders, in a transaction or not. */
    public static final class V1__Java extends BaseJavaMigration {

        private final boolean transactional;

        V1__Java(boolean transactional) {
            this.transactional = transactional;
        }

        @Override
        public boolean canExecuteInTransaction() {
            return transactional;
        }

        @Override
        public void migrate(Context context) throws Exception {
            execute(context.getConnection(), ALTER);
        }
    }

    /** Has data to lose, and ends its transaction or does not. */
    public static final class V1__Inserting extends BaseJavaMigration {

        private final boolean committing;

        V1__Inserting(boolean committing) {
            this.committing = committing;
        }

        @Override
        public void migrate(Context context) throws Exception {
            execute(context.getConnection(), "insert into items values (1)");
            if (committing) {
                context.getConnection().commit();
                execute(context.getConnection(), "select 1"); // it is in a transaction again when it ends
            }
        }
    }

    /** Changes orders, after another one. */
    public static final class V2__Java extends BaseJavaMigration {

        @Override
        public void migrate(Context context) throws Exception {
            execute(context.getConnection(), ALTER);
        }
    }

    /** Ends its transaction before it changes orders. */
    public static final class V1__Committing extends BaseJavaMigration {

        @Override
        public void migrate(Context context) throws Exception {
            execute(context.getConnection(), "insert into items values (1)");
            context.getConnection().commit(); // and with the transaction goes the timeout
            execute(context.getConnection(), "set local lock_timeout = '1s'");
            execute(context.getConnection(), ALTER);
        }
    }

    /** Changes orders, if it can at once. */
    @MigrationPolicy("retryDeadline=0s")
    public static final class V1__Once extends BaseJavaMigration {

        @Override
        public void migrate(Context context) throws Exception {
            execute(context.getConnection(), ALTER);
        }
    }
}
