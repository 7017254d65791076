// SPDX-License-Identifier: Apache-2.0
package io.pglock.annotation;

/**
 * Who applies the annotations of this package in this JVM. For whoever could apply them as well, as a Spring aspect does: where
 * the agent is present, the others stand down, or every lock would be taken twice. Stateless.
 *
 * {@snippet :
 * return Agent.isPresent() ? invocation.proceed() : locked(invocation);
 * }
 *
 * <p>The contract: the agent sets the system property {@code io.pglock.agent.active} to {@code true} when it has woven the classes
 * that were loaded before, right before the first method is guarded. It is never set back; an agent whose start fails sets it not at all. An agent may be attached while the application
 * runs, so it is to be asked at each call and not once.
 */
public final class Agent {

    private static final String ACTIVE = "io.pglock.agent.active";

    private Agent() {}

    /** Whether the agent applies the annotations in this JVM; costs a look into the system properties. */
    public static boolean isPresent() {
        return Boolean.getBoolean(ACTIVE);
    }
}
