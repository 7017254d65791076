// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The command and a real Django process with the real django-pglock shut each other out. Needs a {@code python3} that has Django
 * and psycopg2 (Debian: python3-django, python3-psycopg2); django-pglock and django-pgactivity are fetched with pip, or lie in
 * the folder {@code -Dpglock.test.django}.
 */
@PostgresTest
class DjangoTest {

    private static final List<String> PYTHONS = List.of("/usr/bin/python3", "python3");
    private static final String PROGRAM = """
            import os, sys
            import django
            from django.conf import settings
            settings.configure(
                INSTALLED_APPS=["pgactivity", "pglock"],
                DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
                DATABASES={"default": {
                    "ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"], "USER": os.environ["PGUSER"],
                    "PASSWORD": os.environ["PGPASSWORD"], "HOST": os.environ["PGHOST"], "PORT": os.environ["PGPORT"]}})
            django.setup()
            import pglock
            what, key = sys.argv[1:]
            key = int(key) if what == "number" else key
            if what == "try":
                with pglock.advisory(key, timeout=0) as acquired:
                    print(acquired, flush=True)
            else:
                with pglock.advisory(key):
                    print("held", flush=True)
                    sys.stdin.readline()
            """;

    @TempDir
    private static Path folder;

    private static String python = "";
    private static Path packages = Path.of("");

    @BeforeAll
    static void fetchesDjangoPglock() throws Exception {
        python = PYTHONS.stream()
                .filter(program -> succeeds(Map.of(), program, "-c", "import django, psycopg2, typing_extensions"))
                .findFirst()
                .orElse("");
        assumeTrue(
                !python.isEmpty(),
                "no python3 with Django, psycopg2 and typing_extensions: the command is not tried against django-pglock");
        String given = System.getProperty("pglock.test.django", "");
        packages = given.isEmpty() ? folder.resolve("packages") : Path.of(given).toAbsolutePath();
        boolean there = Files.isDirectory(packages.resolve("pglock"))
                || PYTHONS.stream()
                        .anyMatch(program -> succeeds(
                                Map.of(),
                                program,
                                "-m",
                                "pip",
                                "install",
                                "--quiet",
                                "--no-deps",
                                "--retries=0",
                                "--timeout=10",
                                "--target",
                                packages.toString(),
                                "django-pglock",
                                "django-pgactivity"));
        assumeTrue(
                there && succeeds(Map.of("PYTHONPATH", packages.toString()), python, "-c", "import pgactivity.version"),
                "django-pglock cannot be fetched here: the command is not tried against it");
    }

    @Test
    void aNameIsTheSameLockInBoth(Database database, Scenario scenario) throws Exception {
        Process django = django(database, "hold", "nightly-report");
        try (BufferedReader said = django.inputReader()) {
            assertThat(said.readLine()).isEqualTo("held");
            Cli.Ended refused = Cli.on(database).run("run", "nightly-report", "--nowait", "--", "echo", "ran");
            assertThat(refused.code()).isEqualTo(75);
            assertThat(refused.out()).isEmpty();
            assertThat(refused.err()).contains("nightly-report");
            end(django);
        }
        assertThat(Cli.on(database)
                        .run("run", "nightly-report", "--nowait", "--", "echo", "ran")
                        .out())
                .isEqualTo("ran\n");
    }

    @Test
    void whatTheCommandHoldsDjangoDoesNotGet(Database database) throws Exception {
        Process command = Cli.on(database)
                .builder("run", "nightly-report", "--", "sh", "-c", "echo held; read line")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader said = command.inputReader()) {
            assertThat(said.readLine()).isEqualTo("held");
            assertThat(answer(django(database, "try", "nightly-report"))).isEqualTo("False");
            assertThat(answer(django(database, "try", "another-report"))).isEqualTo("True");
            end(command);
        }
        assertThat(answer(django(database, "try", "nightly-report"))).isEqualTo("True");
    }

    @Test
    void aNumberIsTheSameLockInBoth(Database database) throws Exception {
        Process django = django(database, "number", "-42");
        try (BufferedReader said = django.inputReader()) {
            assertThat(said.readLine()).isEqualTo("held");
            assertThat(Cli.on(database)
                            .run("run", "--number", "--nowait", "--", "-42", "true")
                            .code())
                    .isNotZero();
            assertThat(Cli.on(database).run("ls", "--json").out()).contains("-42");
            end(django);
        }
    }

    private static Process django(Database database, String... words) throws IOException {
        ProcessBuilder builder = Cli.on(database).builder();
        builder.command(Stream.concat(Stream.of(python, "-c", PROGRAM), Stream.of(words))
                .toList());
        builder.environment().put("PYTHONPATH", packages.toString());
        return builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    private static String answer(Process process) throws Exception {
        try (BufferedReader said = process.inputReader()) {
            String line = said.readLine();
            end(process);
            return String.valueOf(line);
        }
    }

    /** A line of input is what it waits for. */
    private static void end(Process process) throws Exception {
        try (var in = process.getOutputStream()) {
            in.write("\n".getBytes(StandardCharsets.UTF_8));
        } catch (IOException ended) {
            // it did not wait
        }
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).as("has ended").isTrue();
        assertThat(process.exitValue()).isZero();
    }

    private static boolean succeeds(Map<String, String> environment, String... command) {
        try {
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD);
            builder.environment().putAll(environment);
            Process process = builder.start();
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return false;
            }
            return process.exitValue() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
