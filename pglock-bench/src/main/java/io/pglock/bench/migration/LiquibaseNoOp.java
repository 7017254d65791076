// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.migration;

import io.pglock.bench.RoundTrips;
import io.pglock.bench.Server;
import java.io.File;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToLongFunction;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * What pglock costs where nobody is in the way: 500 changesets with its jars on Liquibase's class path and without them, by
 * turns, each run on an empty schema; and how many round trips it adds.
 */
public final class LiquibaseNoOp {

    private static final int CHANGESETS = 500;

    private static final Map<String, String> CHANGES =
            new TreeMap<>(Map.of("select 1", "select 1;", "create table", "create table t%d (id int primary key);"));

    private LiquibaseNoOp() {}

    /** Prints both times, their ratio and the round trips, for each kind of changeset. */
    public static void main(String[] arguments) throws IOException {
        Logger.getLogger("").setLevel(Level.OFF);
        try (Server server = new Server()) {
            for (Map.Entry<String, String> change : CHANGES.entrySet()) {
                Path folder = Files.createTempDirectory("pglock-bench");
                Path changelog = folder.resolve("changelog.sql");
                try {
                    StringBuilder text = new StringBuilder("--liquibase formatted sql\n");
                    for (int i = 1; i <= CHANGESETS; i++) {
                        text.append("--changeset bench:").append(i).append('\n');
                        text.append(change.getValue().formatted(i)).append('\n');
                    }
                    Files.writeString(changelog, text);
                    PairedRuns.measure(change.getKey(), CHANGESETS, new Updates(server, folder));
                } finally {
                    Files.delete(changelog);
                    Files.delete(folder);
                }
            }
        }
    }

    /** Liquibase finds what is on the class path of its thread: so there are two, with everything in each of them. */
    private static final class Updates implements PairedRuns.Work {

        private final Server server;
        private final Path folder;
        private final ToLongFunction<String[]> guarded;
        private final ToLongFunction<String[]> bare;

        Updates(Server server, Path folder) {
            this.server = server;
            this.folder = folder;
            this.guarded = update(".*");
            this.bare = update("(?!.*pglock-(core|liquibase)).*");
        }

        @SuppressWarnings("unchecked") // as it is declared
        private static ToLongFunction<String[]> update(String onTheClassPath) {
            URL[] classPath = Arrays.stream(
                            System.getProperty("java.class.path").split(File.pathSeparator))
                    .filter(entry -> entry.matches(onTheClassPath))
                    .map(Updates::url)
                    .toArray(URL[]::new);
            try {
                return (ToLongFunction<String[]>) new URLClassLoader(classPath, ClassLoader.getPlatformClassLoader())
                        .loadClass(LiquibaseUpdate.class.getName())
                        .getConstructor()
                        .newInstance();
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }

        private static URL url(String entry) {
            try {
                return Path.of(entry).toUri().toURL();
            } catch (MalformedURLException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void run(boolean with) {
            update(with, server.url());
        }

        @Override
        public long roundTrips(boolean with) {
            String separator = server.url().contains("?") ? "&" : "?";
            return update(with, server.url() + separator + "socketFactory=" + RoundTrips.class.getName());
        }

        private long update(boolean with, String url) {
            return (with ? guarded : bare)
                    .applyAsLong(new String[] {url, server.user(), server.password(), folder.toString()});
        }

        @Override
        public void clean() {
            try (Connection connection = server.connect();
                    Statement statement = connection.createStatement()) {
                statement.execute("drop schema public cascade");
                statement.execute("create schema public");
            } catch (SQLException e) {
                throw new IllegalStateException(e.getMessage(), e);
            }
        }
    }
}
