// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.postgresql.Driver;
import org.postgresql.PGProperty;

/**
 * A Django project that has no other application than django-pglock and what that needs, on a server that is measured. The
 * Python packages pglock and pgactivity are in the folder that the property {@code pglock.bench.django} names; {@code python3}
 * has Django. Deleted when it is closed.
 */
public final class DjangoProject implements AutoCloseable {

    private static final Path PACKAGES =
            Path.of(System.getProperty("pglock.bench.django", "")).toAbsolutePath();

    private final Server server;
    private final ScratchFolder scratch;

    private DjangoProject(Server server, ScratchFolder scratch) {
        this.server = server;
        this.scratch = scratch;
    }

    /** Empty where the packages are not to be had. */
    public static Optional<DjangoProject> on(Server server) throws IOException {
        if (!Files.isDirectory(PACKAGES.resolve("pglock")) || !Files.isDirectory(PACKAGES.resolve("pgactivity"))) {
            return Optional.empty();
        }
        ScratchFolder scratch = ScratchFolder.create();
        Path folder = scratch.path();
        Files.writeString(folder.resolve("settings.py"), """
                import os

                SECRET_KEY = "measured"
                INSTALLED_APPS = ["pgactivity", "pglock"]
                DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
                DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql"} | {
                    key: os.environ["PG" + variable]
                    for key, variable in
                    {"NAME": "DATABASE", "USER": "USER", "PASSWORD": "PASSWORD", "HOST": "HOST", "PORT": "PORT"}.items()
                }}
                """);
        Files.writeString(folder.resolve("manage.py"), """
                import os, sys
                from django.core.management import execute_from_command_line

                os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
                execute_from_command_line(sys.argv)
                """);
        return Optional.of(new DjangoProject(server, scratch));
    }

    /** Where its files are. */
    public Path folder() {
        return scratch.path();
    }

    /** Python with these arguments, in the project's folder. */
    public ProcessBuilder python(String... arguments) {
        var python = new ProcessBuilder(
                Stream.concat(Stream.of(System.getProperty("pglock.bench.python", "python3")), Stream.of(arguments))
                        .toList());
        environment(python.environment());
        return python.directory(folder().toFile());
    }

    /** For whatever connects as libpq does. */
    public void environment(Map<String, String> environment) {
        environment.keySet().removeIf(name -> name.startsWith("PG"));
        var url = Driver.parseURL(server.url(), null);
        if (url == null) {
            throw new IllegalStateException("not a URL of PostgreSQL: " + server.url());
        }
        environment.put("PGHOST", String.valueOf(PGProperty.PG_HOST.getOrDefault(url)));
        environment.put("PGPORT", String.valueOf(PGProperty.PG_PORT.getOrDefault(url)));
        environment.put("PGDATABASE", String.valueOf(PGProperty.PG_DBNAME.getOrDefault(url)));
        environment.put("PGUSER", server.user());
        environment.put("PGPASSWORD", server.password());
        environment.put("PYTHONPATH", PACKAGES.toString());
        environment.put("PYTHONWARNINGS", "ignore");
        environment.put("DJANGO_SETTINGS_MODULE", "settings");
    }

    /** Which django-pglock, which Django, and which Python. */
    public String versions() throws IOException, InterruptedException {
        Process process =
                python("-c", """
                        import django, pglock.version, sys
                        print(f"django-pglock {pglock.version.__version__}, Django {django.__version__}, "
                              f"Python {sys.version.split()[0]}")
                        """).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (var answer = process.inputReader()) {
            String line = answer.readLine();
            if (process.waitFor() != 0 || line == null) {
                throw new IOException("python3 does not import django-pglock: exit code " + process.exitValue());
            }
            return line;
        }
    }

    @Override
    public void close() throws IOException {
        scratch.close();
    }
}
