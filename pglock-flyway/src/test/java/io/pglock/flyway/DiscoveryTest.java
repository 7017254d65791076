// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import db.callback.UsersOwnCallback;
import io.pglock.LockPolicy;
import io.pglock.testkit.PostgresTest;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.callback.BaseCallback;
import org.flywaydb.core.api.callback.Callback;
import org.flywaydb.core.api.callback.Context;
import org.flywaydb.core.api.callback.Event;
import org.flywaydb.core.internal.configuration.models.FlywayEnvironmentModel;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@PostgresTest
class DiscoveryTest {

    private final DataSource dataSource;
    private Migrations migrations = new Migrations(Path.of("."));

    DiscoveryTest(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    @BeforeEach
    void write(@TempDir Path folder) {
        migrations = new Migrations(folder)
                .with(
                        "V1__one.sql",
                        "create table one as select current_setting('pglock.lock_timeout', true) as scopes;")
                .with("V2__two.sql", "insert into one select current_setting('pglock.lock_timeout', true);");
    }

    /** What a user gives as an object. */
    public static final class ProgrammaticCallback extends BaseCallback {
        @Override
        public boolean supports(Event event, Context context) {
            return event == Event.AFTER_EACH_MIGRATE;
        }

        @Override
        public void handle(Event event, Context context) {}
    }

    @Test
    @Proves(Capability.FOUND)
    void isFoundWithNoConfigurationAtAll() {
        Flyway flyway = migrations.flyway(dataSource).load();

        assertThat(callbacks(flyway)).containsExactly(PgLockCallback.class);
    }

    @Test
    @Proves(Capability.ONCE)
    void isThereOnceBesideAUsersCallbacks() {
        Flyway flyway = migrations
                .flyway(dataSource)
                .callbacks(new ProgrammaticCallback())
                .callbacks(ProgrammaticCallback.class.getName())
                .load();

        assertThat(callbacks(flyway)).containsOnlyOnce(PgLockCallback.class).contains(ProgrammaticCallback.class);
    }

    @Test
    void goesInAsAnObjectBesideOneOfAnAnonymousClass() {
        BaseCallback anonymous = new BaseCallback() {
            @Override
            public void handle(Event event, Context context) {}
        };

        Flyway flyway = migrations.flyway(dataSource).callbacks(anonymous).load();

        assertThat(callbacks(flyway)).containsExactly(anonymous.getClass(), PgLockCallback.class);
    }

    @Test
    @Proves(Capability.ONCE)
    void isThereOnceWhenTheUserNamesItToo() {
        assertThat(callbacks(migrations
                        .flyway(dataSource)
                        .callbacks(PgLockCallback.class.getName())
                        .load()))
                .containsExactly(PgLockCallback.class);
        assertThat(callbacks(migrations
                        .flyway(dataSource)
                        .callbacks(new PgLockCallback())
                        .load()))
                .containsExactly(PgLockCallback.class);
    }

    @Test
    @Proves(Capability.ONCE)
    void survivesAUsersCallbackPackage() throws SQLException {
        UsersOwnCallback.MIGRATIONS.set(0);
        Flyway flyway = migrations
                .flyway(dataSource, DiscoveryTest.class.getClassLoader())
                .callbacks(new ProgrammaticCallback())
                .schemas("beside_a_package")
                .load();

        assertThat(callbacks(flyway)).containsOnlyOnce(PgLockCallback.class);
        flyway.migrate();
        if (FlywayInUse.isAtLeast("10.18.1")) {
            // before, Flyway looked into that package only where it was given no callback at all
            assertThat(callbacks(flyway)).containsExactlyInAnyOrder(UsersOwnCallback.class, PgLockCallback.class);
            assertThat(UsersOwnCallback.MIGRATIONS).hasValue(2);
        }
        assertThatItRanOncePerMigration("beside_a_package");
    }

    @Test
    @Proves({Capability.FOUND, Capability.ONCE})
    void runsOncePerMigration() throws SQLException {
        migrations.flyway(dataSource).schemas("once").load().migrate();

        assertThatItRanOncePerMigration("once");
    }

    /** In the setting where open scopes are kept, a migration finds one for itself: {@code id=value}. */
    private void assertThatItRanOncePerMigration(String schema) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row =
                        statement.executeQuery("select string_agg(trim(scopes), ';') from " + schema + ".one")) {
            row.next();
            assertThat(row.getString(1)).matches("[^= ;]+=[^= ;]+;[^= ;]+=[^= ;]+");
        }
    }

    @Test
    void isThereOnceInACopyOfAConfiguration() {
        Flyway first = migrations.flyway(dataSource).load();

        assertThat(callbacks(new Flyway(first.getConfiguration()))).containsExactly(PgLockCallback.class);
    }

    @Test
    @Proves(Capability.ONCE)
    void goesInAsAnObjectWhereTheEnvironmentHasCallbacksOfItsOwn() {
        FlywayInUse.assumeAtLeast("10.22", "an environment of Flyway 10.0 has no callbacks of its own");
        var configuration = migrations.flyway(dataSource);
        FlywayEnvironmentModel own = new FlywayEnvironmentModel();
        own.setCallbacks(List.of(ProgrammaticCallback.class.getName()));
        configuration.getModernConfig().getEnvironments().get("default").setFlyway(own);

        assertThat(callbacks(configuration.load()))
                .containsExactlyInAnyOrder(ProgrammaticCallback.class, PgLockCallback.class);
    }

    @Test
    @Proves(Capability.FOUND)
    void goesInAsAnObjectWhereFlywaysClassLoaderDoesNotKnowIt() {
        ClassLoader without = new ClassLoader(ClassLoader.getPlatformClassLoader()) {};

        assertThat(callbacks(
                        migrations.flyway(dataSource, without).loggers("auto").load()))
                .containsExactly(PgLockCallback.class);
    }

    @Test
    @Proves(Capability.MAP)
    void takesItsSettingsFromTheConfigurationMap() {
        FlywayInUse.assumeTexts();
        var configuration = migrations.flyway(dataSource);
        Map<String, String> settings = new java.util.HashMap<>();
        LockPolicy.keys().forEach(key -> settings.put("flyway.pglock." + key, "of " + key));
        configuration.configuration(settings);

        assertThat(LockPolicy.keys())
                .allSatisfy(key ->
                        assertThat(read(Migrations.pglock(configuration), key)).isEqualTo("of " + key));
        assertThat(read((PgLockConfiguration) Migrations.pglock(configuration).copy(), "protect"))
                .isEqualTo("of protect");
    }

    @Test
    void hasAFieldForEverySettingAndNoOthers() {
        assertThat(Arrays.stream(PgLockConfiguration.class.getDeclaredFields())
                        .filter(field -> !Modifier.isStatic(field.getModifiers()))
                        .map(Field::getName))
                .containsExactlyElementsOf(LockPolicy.keys());
    }

    @Test
    void readsTheEnvironmentsSpelling() {
        PgLockConfiguration settings = new PgLockConfiguration();

        assertThat(settings.getConfigurationParameterFromEnvironmentVariable("FLYWAY_PGLOCK_LOCK_TIMEOUT"))
                .isEqualTo("flyway.pglock.lockTimeout");
        assertThat(settings.getConfigurationParameterFromEnvironmentVariable("FLYWAY_PGLOCK_ENABLED"))
                .isEqualTo("flyway.pglock.enabled");
        assertThat(settings.getConfigurationParameterFromEnvironmentVariable("FLYWAY_URL"))
                .isNull();
    }

    @Test
    void takesSettingsOverFromACallbackThatBringsThemAlong() throws SQLException {
        var configuration = migrations
                .flyway(dataSource)
                .schemas("brought_along")
                .callbacks(
                        PgLockCallback.with(Map.of("lockTimeout", "3s", "prioritize", "cancel")),
                        new ProgrammaticCallback());
        Migrations.pglock(configuration).setPrioritize("off");

        Flyway flyway = configuration.load();

        assertThat(callbacks(flyway)).containsExactlyInAnyOrder(ProgrammaticCallback.class, PgLockCallback.class);
        assertThat(settings(flyway).getLockTimeout()).isEqualTo("3s");
        assertThat(settings(flyway).getPrioritize())
                .as("what is set in the Flyway itself")
                .isEqualTo("off");
        flyway.migrate();
        assertThatItRanOncePerMigration("brought_along");
    }

    @Test
    void takesSettingsOverBesideAUsersCallbackPackage() throws SQLException {
        Flyway flyway = migrations
                .flyway(dataSource, DiscoveryTest.class.getClassLoader())
                .callbacks(PgLockCallback.with(Map.of("lockTimeout", "3s")))
                .schemas("brought_along_beside_a_package")
                .load();

        assertThat(callbacks(flyway)).containsOnlyOnce(PgLockCallback.class);
        if (FlywayInUse.isAtLeast("10.18.1")) {
            // as above
            assertThat(callbacks(flyway)).containsExactlyInAnyOrder(UsersOwnCallback.class, PgLockCallback.class);
        }
        assertThat(settings(flyway).getLockTimeout()).isEqualTo("3s");
        flyway.migrate();
        assertThatItRanOncePerMigration("brought_along_beside_a_package");
    }

    @Test
    void isAbsentWhenACallbackBringsAlongThatItIsNotEnabled() {
        assertThat(callbacks(migrations
                        .flyway(dataSource)
                        .callbacks(PgLockCallback.with(Map.of("enabled", "false")))
                        .load()))
                .isEmpty();
    }

    @Test
    void refusesSettingsToBringAlongThatDoNotExist() {
        assertThatThrownBy(() -> PgLockCallback.with(Map.of("lockTimeot", "3s")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Did you mean lockTimeout?");
    }

    @Test
    void isAbsentWhenNotEnabled() {
        var configuration = migrations.flyway(dataSource).schemas("not_enabled");
        Migrations.configure(configuration, Map.of("flyway.pglock.enabled", "false"));

        Flyway flyway = configuration.load();
        assertThat(callbacks(flyway)).isEmpty();
    }

    @Test
    @Proves(Capability.TYPED)
    void refusesABadValueBeforeTheFirstMigration() {
        var configuration = migrations.flyway(dataSource);
        Migrations.pglock(configuration).setLockTimeout("5");

        assertThatThrownBy(configuration::load)
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining("pglock: lockTimeout=5: a bare number has no unit; write 5s or 5ms");
    }

    @Test
    @Proves(Capability.MAP)
    void refusesAMisspeltKeyBeforeTheFirstMigration() {
        FlywayInUse.assumeTexts();
        var configuration = migrations.flyway(dataSource);

        assertThatThrownBy(() -> configuration
                        .configuration(Map.of("flyway.pglock.lockTimeot", "5s"))
                        .load())
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining("lockTimeot");
    }

    @Test
    void refusesABadValueThatCameAfterLoading() {
        Flyway flyway = migrations.flyway(dataSource).schemas("changed_later").load();
        settings(flyway).setPrioritize("kill");

        assertThatThrownBy(flyway::migrate)
                .hasMessageContaining("prioritize=kill: is none of off, report, cancel, terminate");
        assertThat(flyway.info().applied())
                .noneMatch(migration -> migration.getVersion() != null
                        && migration.getVersion().getVersion().equals("1"));
    }

    @SuppressWarnings("deprecation")
    private static PgLockConfiguration settings(Flyway flyway) {
        return flyway.getConfiguration().getPluginRegister().getPlugin(PgLockConfiguration.class);
    }

    private static List<Class<?>> callbacks(Flyway flyway) {
        return Arrays.stream(flyway.getConfiguration().getCallbacks())
                .<Class<?>>map(Callback::getClass)
                .toList();
    }

    private static Object read(PgLockConfiguration settings, String key) {
        try {
            Field field = PgLockConfiguration.class.getDeclaredField(key);
            field.setAccessible(true);
            return String.valueOf(field.get(settings));
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }
}
