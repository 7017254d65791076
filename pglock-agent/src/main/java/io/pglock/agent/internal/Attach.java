// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.io.File;
import net.bytebuddy.agent.ByteBuddyAgent;

/** Brings the agent into a JVM that runs. */
public final class Attach {

    private Attach() {}

    /** Into this or another one. */
    public static void to(String pid, File jar, String arguments) {
        ByteBuddyAgent.attach(jar, pid, arguments);
    }
}
