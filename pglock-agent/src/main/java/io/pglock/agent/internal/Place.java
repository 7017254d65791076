// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import javax.sql.DataSource;

/**
 * Where a lock can be taken that no connection of the application's holds. Immutable.
 *
 * @param realm whose driver leads there
 * @param source whose sessions hold it
 * @param database what tells it from others, by whatever driver, URL and user it is reached
 */
public record Place(Realm realm, DataSource source, String database) {

    /** Whether a session here gets in the way of one there. */
    public boolean isOnDatabaseOf(Place other) {
        return database.equals(other.database);
    }
}
