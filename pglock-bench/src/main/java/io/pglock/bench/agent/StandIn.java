// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.agent;

import net.bytebuddy.ByteBuddy;
import net.bytebuddy.dynamic.loading.ClassLoadingStrategy;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.ParameterList;
import org.postgresql.core.Query;
import org.postgresql.core.ResultHandler;

/**
 * The methods of the driver that the agent weaves, without anything in them: what is left is the agent's hook. A copy of this
 * class that has the name of the driver's is woven; this one is not.
 */
public class StandIn implements QueryExecution {

    private static final String AS_THE_DRIVERS = "org.postgresql.core.v3.QueryExecutorImpl";

    private int count;
    private boolean asked;

    /** For whoever loads a copy of it. */
    public StandIn() {}

    /**
     * The copy.
     *
     * @throws IllegalStateException when the agent has not woven it
     */
    static QueryExecution woven() {
        Class<?> copy = new ByteBuddy()
                .redefine(StandIn.class)
                .name(AS_THE_DRIVERS)
                .make()
                .load(StandIn.class.getClassLoader(), ClassLoadingStrategy.Default.CHILD_FIRST)
                .getLoaded();
        QueryExecution executor;
        try {
            executor = (QueryExecution) copy.getConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
        try (var bystander = new Bystander()) {
            executor.execute(null, null, null, 0, 0, 0, false);
        }
        if (!executor.wasAsked()) {
            throw new IllegalStateException("the agent is not there, or has not woven " + AS_THE_DRIVERS);
        }
        return executor;
    }

    @Override
    public int execute(
            @Nullable Query query,
            @Nullable ParameterList parameters,
            @Nullable ResultHandler handler,
            int maxRows,
            int fetchSize,
            int flags,
            boolean adaptiveFetch) {
        return ++count;
    }

    /** Of a batch. */
    public int execute(
            Query[] queries,
            ParameterList[] parameters,
            ResultHandler handler,
            int maxRows,
            int fetchSize,
            int flags,
            boolean adaptiveFetch) {
        return ++count;
    }

    /** As the driver's. */
    public int startCopy(String sql, boolean suppressBegin) {
        return ++count;
    }

    /** As the driver's. */
    public int fastpathCall(int function, Object parameters, boolean suppressBegin) {
        return ++count;
    }

    @Override
    public boolean wasAsked() {
        return asked;
    }

    /** The agent knows executors by identity, as this is. */
    @Override
    public int hashCode() {
        asked = true;
        return System.identityHashCode(this);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other;
    }
}
