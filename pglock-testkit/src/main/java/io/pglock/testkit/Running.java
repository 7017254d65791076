// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * SQL that runs in a {@link Session} while the test does something else.
 *
 * {@snippet :
 * Running update = web.start("update orders set paid = true");
 * scenario.awaitBlockedBy(web, migration);
 * assertThat(update.isDone()).isFalse();
 * web.cancel();
 * assertThat(update.awaitFailure().getSQLState()).isEqualTo("57014");
 * }
 *
 * <p>This class is thread-safe.
 */
public final class Running extends Call<List<String>> {
    Running(String what, Scenario scenario, Callable<List<String>> work) {
        super(what, scenario, work);
    }

    /** Waits for the end and gives the rows of the last query, as {@code psql -At} prints them: {@code 4711|t}. */
    public List<String> result() {
        return await();
    }

    /** Waits for the failure, which is the one that PostgreSQL or its driver gave. */
    @Override
    public SQLException awaitFailure() {
        return awaitFailure(SQLException.class);
    }
}
