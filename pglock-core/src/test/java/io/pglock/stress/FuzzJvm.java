// SPDX-License-Identifier: Apache-2.0
package io.pglock.stress;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** The part of another JVM in the fuzz. */
final class FuzzJvm {

    private FuzzJvm() {}

    /** Arguments: URL, user, password, seed, for how long. */
    public static void main(String[] arguments) throws Exception {
        FuzzRun run = new FuzzRun(
                new SectionLog.Access(arguments[0], arguments[1], arguments[2]), Long.parseLong(arguments[3]));
        run.addClient("client-c", 6);
        System.out.println("ready");
        if (System.in.read() < 0) {
            return;
        }
        Thread listening = new Thread(() -> stopWhenTold(run), "listening");
        listening.start();
        run.start();
        run.interruptFor(Duration.parse(arguments[4]));
        List<String> failures = run.end();
        failures.forEach(failure -> System.out.println("failure: " + failure));
        System.out.println("ended " + failures.size() + " " + run);
        listening.join();
    }

    /** Before its time where something has gone wrong elsewhere. */
    private static void stopWhenTold(FuzzRun run) {
        try {
            int read = System.in.read();
            while (read >= 0 && read != 's') {
                read = System.in.read();
            }
        } catch (IOException e) {
            // whoever told it what to do is gone
        }
        run.stop();
    }
}
