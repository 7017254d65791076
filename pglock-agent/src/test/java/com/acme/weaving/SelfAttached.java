// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import static com.acme.weaving.Db.lockTimeout;
import static com.acme.weaving.Db.say;

import io.pglock.agent.PgLockAgent;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;

/** An application that brings the agent itself. */
public final class SelfAttached {

    private static volatile boolean over;

    private SelfAttached() {}

    public static void main(String[] arguments) throws Exception {
        Db.open(arguments);
        say("before", work());
        String settings = "prioritize=off;target=com.acme.weaving.SelfAttached#work;lockTimeout=1111ms" + ";monitorUrl="
                + arguments[0] + ";monitorUser=" + arguments[1] + ";monitorPassword=hush";
        Set<String> shown = new ConcurrentSkipListSet<>();
        Thread looking = new Thread(() -> commandLines(shown), "looking");
        looking.start();
        PgLockAgent.attach(settings);
        over = true;
        looking.join();
        say("shown by ps", shown);
        say("attached", work());
        PgLockAgent.attach(settings);
        try {
            PgLockAgent.attach("target=com.acme.weaving.SelfAttached#work;lockTimeout=2222ms");
        } catch (IllegalStateException e) {
            say("attached otherwise", e.getMessage());
        }
        say("attached once more", work());
        say("outside", lockTimeout());
        say("done", "");
    }

    /** As everybody on this machine sees them. */
    private static void commandLines(Set<String> shown) {
        while (!over) {
            ProcessHandle.current()
                    .children()
                    .flatMap(child -> child.info().commandLine().stream())
                    .forEach(shown::add);
        }
    }

    private static String work() {
        return lockTimeout();
    }
}
