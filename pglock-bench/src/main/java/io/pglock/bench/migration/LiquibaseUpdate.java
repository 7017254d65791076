// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.migration;

import io.pglock.bench.RoundTrips;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.ToLongFunction;
import liquibase.Liquibase;
import liquibase.Scope;
import liquibase.database.Database;
import liquibase.database.DatabaseFactory;
import liquibase.resource.DirectoryResourceAccessor;
import liquibase.resource.ResourceAccessor;
import liquibase.ui.LoggerUIService;

/**
 * One run of Liquibase, on the class path that this class is loaded from: URL, user, password, folder of the changelog. Gives
 * the round trips, if the URL says that they are counted. Stateless.
 */
public final class LiquibaseUpdate implements ToLongFunction<String[]> {

    /** As {@link LiquibaseNoOp} needs it. */
    public LiquibaseUpdate() {}

    @Override
    public long applyAsLong(String[] arguments) {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(LiquibaseUpdate.class.getClassLoader());
        RoundTrips.take();
        try {
            Scope.child(Map.of(Scope.Attr.ui.name(), new LoggerUIService()), () -> update(arguments));
            return RoundTrips.take();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private static void update(String[] arguments) throws Exception {
        ResourceAccessor folder = new DirectoryResourceAccessor(Path.of(arguments[3]));
        Database database =
                DatabaseFactory.getInstance().openDatabase(arguments[0], arguments[1], arguments[2], null, folder);
        try {
            new Liquibase("changelog.sql", folder, database).update("");
        } finally {
            database.close();
        }
    }
}
