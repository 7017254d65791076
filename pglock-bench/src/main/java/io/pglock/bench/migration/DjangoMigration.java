// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.migration;

import io.pglock.bench.DjangoProject;
import io.pglock.bench.Server;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.util.concurrent.TimeUnit;

/** The same statement under {@code pglock.prioritize()} of django-pglock: Python is up and connected before it counts. */
final class DjangoMigration implements AutoCloseable {

    private static final String SCRIPT = """
            import sys
            import django
            django.setup()
            import pglock
            from django.db import connection

            with connection.cursor() as cursor:
                cursor.execute("select 1")
                print("ready", flush=True)
                sys.stdin.readline()
                with pglock.prioritize():
                    cursor.execute("alter table orders add column note text")
                print("through", flush=True)
            """;

    private final DjangoProject project;
    private final Process process;
    private final BufferedReader output;

    private DjangoMigration(DjangoProject project, Process process) {
        this.project = project;
        this.process = process;
        this.output = process.inputReader();
    }

    /** Up, and waiting. */
    static DjangoMigration on(Server server) throws IOException {
        DjangoProject project = DjangoProject.on(server)
                .orElseThrow(() -> new IllegalStateException("no Python packages pglock and pgactivity"));
        Files.writeString(project.folder().resolve("migrate.py"), SCRIPT);
        var migration = new DjangoMigration(
                project,
                project.python("migrate.py")
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start());
        migration.awaitLine("ready");
        return migration;
    }

    void migrate() throws IOException {
        try (var input = process.outputWriter()) {
            input.write("go\n");
        }
        awaitLine("through");
    }

    private void awaitLine(String wanted) throws IOException {
        String line = output.readLine();
        if (!wanted.equals(line)) {
            throw new IllegalStateException("not " + wanted + ", but " + line);
        }
    }

    @Override
    public void close() throws IOException {
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        output.close();
        project.close();
    }
}
