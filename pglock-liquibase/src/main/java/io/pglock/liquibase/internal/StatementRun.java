// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import liquibase.exception.DatabaseException;

/** Something that Liquibase's own executor does. */
@FunctionalInterface
interface StatementRun {

    /** Does it. */
    void run() throws DatabaseException;
}
