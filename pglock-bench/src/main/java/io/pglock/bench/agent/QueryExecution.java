// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.agent;

import org.jspecify.annotations.Nullable;
import org.postgresql.core.ParameterList;
import org.postgresql.core.Query;
import org.postgresql.core.ResultHandler;

/** How a {@link StandIn} is called, and a copy of it that another class loader has. Public for that one. */
public interface QueryExecution {

    /** As the driver's. */
    int execute(
            @Nullable Query query,
            @Nullable ParameterList parameters,
            @Nullable ResultHandler handler,
            int maxRows,
            int fetchSize,
            int flags,
            boolean adaptiveFetch);

    /** Whether anybody has looked it up. */
    boolean wasAsked();
}
