// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockKey;
import io.pglock.LockMode;
import io.pglock.TableName;
import java.util.List;

/** Who is in the way of a lock that was not acquired, for the message. Not API. */
public final class Blockers {

    private Blockers() {}

    public static String ofKey(PgSession session, LockKey key, boolean shared) {
        return ".";
    }

    public static String ofTables(PgSession session, List<TableName> tables, LockMode mode, boolean only) {
        return ".";
    }
}
