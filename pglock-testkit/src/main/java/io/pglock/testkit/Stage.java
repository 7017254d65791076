// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Everything that was set up for one test. */
final class Stage {
    private final ClassDatabase of;
    private final Set<Thread> threadsBefore = Leftovers.threads();
    private final Scenario scenario;
    private final List<Injected> connections = new ArrayList<>();

    Stage(ClassDatabase of) {
        this.of = of;
        this.scenario = new Scenario(of.database(), of.observer(), Await.LONGEST);
    }

    Scenario scenario() {
        return scenario;
    }

    synchronized Connection connect() {
        var injected = new Injected(of.database().connect());
        connections.add(injected);
        return injected.connection();
    }

    /** Closes all of it and looks for what is left. The sessions go first: they may be what the others wait for. */
    synchronized void strike(Set<Leftover> announced, Duration patience) throws SQLException {
        var leftovers = new Leftovers(of.observer().connection(), threadsBefore, patience);
        scenario.closeSessions();
        leftovers.lookOn(connections);
        for (Injected injected : connections) {
            injected.connection().close();
        }
        scenario.close();
        leftovers.lookAround();
        leftovers.verify(announced);
    }
}
