// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Scenario;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Statement;
import java.util.Objects;
import javax.sql.DataSource;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.migration.BaseJavaMigration;
import org.flywaydb.core.api.migration.Context;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One migration may have settings of its own. */
@Proves(Capability.COMMENT)
class OverridesTest extends FlywayScene {

    private static final String NOTE = "insert into items (seen) values (current_setting('lock_timeout'));";

    OverridesTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    private static String noting(String comment) {
        return comment + "\nalter table items add column if not exists seen text;\n" + NOTE;
    }

    @Test
    void aLeadingCommentCountsForItsMigrationAlone() {
        FlywayInUse.assumeStatementEvents();
        migrations
                .with("V1__first.sql", noting("-- what this is about\n\n-- pglock: lockTimeout=7s prioritize=off"))
                .with("V2__second.sql", NOTE);

        flyway().load().migrate();

        assertThat(value("select string_agg(seen, ',' order by seen) from items"))
                .isEqualTo("1s,7s");
    }

    @Test
    void aLeadingCommentCountsOutsideATransactionToo() {
        FlywayInUse.assumeStatementEvents();
        migrations.withNonTransactional("V1__first.sql", noting("-- pglock: lockTimeout=7s"));

        flyway().load().migrate();

        assertThat(value("select seen from items")).isEqualTo("7s");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "lockTimeot=3s  | there is no setting lockTimeot. Did you mean lockTimeout?",
                "lockTimeout=3  | lockTimeout=3: a bare number has no unit; write 3s or 3ms",
                "lockTimeout 3s | is not understood at \"lockTimeout\"; write key=value, separated by blanks",
            })
    void aMistakeFailsTheMigrationBeforeItsFirstStatement(String comment, String message) {
        FlywayInUse.assumeStatementEvents();
        migrations.with("V1__first.sql", noting("-- pglock: " + comment));

        assertThatThrownBy(() -> flyway().load().migrate())
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining(message);

        assertThat(history()).isEqualTo("");
        assertThat(value("select count(*) from pg_attribute where attrelid = 'items'::regclass and attname = 'seen'"))
                .isEqualTo("0");
    }

    @Test
    void aCommentInCapitalsCounts() {
        FlywayInUse.assumeStatementEvents();
        migrations.with("V1__first.sql", noting("-- PGLOCK: lockTimeout=7s"));

        flyway().load().migrate();

        assertThat(value("select seen from items")).isEqualTo("7s");
    }

    @Test
    void settingsWithoutTheColonAreRefusedInsteadOfIgnored() {
        FlywayInUse.assumeStatementEvents();
        migrations.with("V1__first.sql", noting("-- pglock lockTimeout=7s"));

        assertThatThrownBy(() -> flyway().load().migrate())
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining("\"-- pglock lockTimeout=7s\" has no colon; write -- pglock: lockTimeout=7s");
    }

    @Test
    void aCommentThatOnlyBeginsWithTheWordIsAComment() {
        FlywayInUse.assumeStatementEvents();
        migrations.with("V1__first.sql", noting("-- pglock guards this, with lockTimeout=1s\n-- pglock is here"));

        flyway().load().migrate();

        assertThat(value("select seen from items")).isEqualTo("1s");
    }

    @Test
    void aCommentFurtherDownIsRefusedInsteadOfIgnored() {
        FlywayInUse.assumeStatementEvents();
        migrations.with("V1__first.sql", "select 1;\n-- pglock: lockTimeout=7s\nselect 2;");

        assertThatThrownBy(() -> flyway().load().migrate())
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining("counts for the whole migration; put it above the first statement");
    }

    @Test
    void theExampleOfTheManualRuns() throws IOException {
        FlywayInUse.assumeStatementEvents();
        try (InputStream example = OverridesTest.class.getResourceAsStream("/docs/comment.sql")) {
            migrations.with(
                    "V1__first.sql",
                    new String(Objects.requireNonNull(example).readAllBytes(), StandardCharsets.UTF_8)
                            .replace("-- docs: flyway-comment\n", "")
                            .replace("-- end\n", "insert into items (note) values (current_setting('lock_timeout'));"));
        }

        flyway().load().migrate();

        assertThat(value("select note from items")).isEqualTo("5s");
    }

    @Test
    @Proves(Capability.ANNOTATION)
    void anAnnotationCountsForAJavaMigration() {
        migrations.with("V1__first.sql", "alter table items add column seen text;");

        flyway().javaMigrations(new V2__Annotated(), new V3__Plain()).load().migrate();

        assertThat(value("select string_agg(seen, ',' order by seen) from items"))
                .isEqualTo("1s,7s");
    }

    /** As on a thread of the common pool, whose context class loader is the JVM's and not the application's. */
    @Test
    @Proves(Capability.ANNOTATION)
    void anAnnotationCountsWhereFlywaysClassLoaderDoesNotSeeTheClass() {
        ClassLoader ofTheJvm = new ClassLoader(ClassLoader.getPlatformClassLoader()) {};
        migrations.with("V1__first.sql", "alter table items add column seen text;");

        migrations
                .flyway(dataSource, ofTheJvm)
                .loggers("auto")
                .baselineOnMigrate(true)
                .baselineVersion("0")
                .javaMigrations(new V2__Annotated(), new V3__Plain())
                .load()
                .migrate();

        assertThat(value("select string_agg(seen, ',' order by seen) from items"))
                .isEqualTo("2s,7s");
    }

    @Test
    @Proves(Capability.ANNOTATION)
    void aMistakeInAnAnnotationFailsTheMigrationBeforeItRuns() {
        assertThatThrownBy(
                        () -> flyway().javaMigrations(new V2__Misspelt()).load().migrate())
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining("Did you mean lockTimeout?");

        assertThat(history()).isEqualTo("");
    }

    // docs: flyway-annotation
    @MigrationPolicy("lockTimeout=7s prioritize=off")
    public static final class V2__Annotated extends Noting {}
    // end

    /** Notes the timeout it runs with. */
    public static final class V3__Plain extends Noting {}

    /** Never runs. */
    @MigrationPolicy("lockTimeot=7s")
    public static final class V2__Misspelt extends Noting {}

    abstract static class Noting extends BaseJavaMigration {
        @Override
        public void migrate(Context context) throws Exception {
            try (Statement statement = context.getConnection().createStatement()) {
                statement.execute(NOTE);
            }
        }
    }
}
