// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import org.jspecify.annotations.Nullable;

/**
 * A program of the JDK's own, {@code javac} or {@code keytool}: where the agent stands in {@code JAVA_TOOL_OPTIONS}, every one
 * of them gets it, and none of them is meant. Stateless.
 */
final class JdkTool {

    private static final String EVERY_JVM = "JAVA_TOOL_OPTIONS";

    private JdkTool() {}

    /** Whether this process is one, and has the agent only because every JVM has it. */
    static boolean isUnasked() {
        String options = System.getenv(EVERY_JVM);
        return options != null
                && options.contains("-javaagent:")
                && options.contains("pglock")
                && isTool(System.getProperty("jdk.module.main"));
    }

    /** @param mainModule null where the main class is on the class path */
    static boolean isTool(@Nullable String mainModule) {
        return mainModule != null && (mainModule.startsWith("java.") || mainModule.startsWith("jdk."));
    }
}
