// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.Map;
import liquibase.Scope;
import liquibase.command.CommandScope;
import liquibase.database.Database;
import liquibase.database.DatabaseFactory;
import liquibase.database.jvm.JdbcConnection;
import liquibase.lockservice.LockServiceFactory;
import liquibase.resource.DirectoryResourceAccessor;
import liquibase.util.LiquibaseUtil;

/** What runs in the process of a test: {@code url user password folder}, and what to do how often. */
final class LiquibaseMain {

    private LiquibaseMain() {}

    public static void main(String[] arguments) throws Exception {
        System.out.println("version: " + LiquibaseUtil.getBuildVersion());
        int times = Integer.parseInt(arguments[5]);
        for (int i = 0; i < times; i++) {
            try (Connection connection = DriverManager.getConnection(arguments[0], arguments[1], arguments[2])) {
                Scope.child(
                        Map.of(
                                Scope.Attr.resourceAccessor.name(),
                                new DirectoryResourceAccessor(Path.of(arguments[3]))),
                        () -> act(arguments[4], connection));
            }
        }
    }

    private static void act(String what, Connection connection) throws Exception {
        Database database =
                DatabaseFactory.getInstance().findCorrectDatabaseImplementation(new JdbcConnection(connection));
        switch (what) {
            case "update" ->
                new CommandScope("update")
                        .addArgumentValue("database", database)
                        .addArgumentValue("changelogFile", "changelog.sql")
                        .execute();
            case "hold" -> {
                LockServiceFactory.getInstance().getLockService(database).waitForLock();
                holdUntilKilled();
            }
            case "which" ->
                System.out.println("service: "
                        + LockServiceFactory.getInstance()
                                .getLockService(database)
                                .getClass()
                                .getName());
            default -> throw new IllegalArgumentException(what);
        }
    }

    private static void holdUntilKilled() throws IOException {
        while (System.in.read() >= 0) {
            // nobody writes there, and it ends when it is killed
        }
        throw new IllegalStateException("who holds the lock was to be killed");
    }
}
