// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class OwnSessionsTest {

    private static final PgSession.Facts FACTS = new PgSession.Facts(17, false, "a server of this test", 0);

    @Test
    void aSessionIsOursUntilItsLastRegistrationIsClosed() {
        var one = OwnSessions.register(FACTS);
        var two = OwnSessions.register(FACTS);
        one.close();
        one.close();
        assertThat(OwnSessions.pids(FACTS.serverStart())).containsExactly(17);
        two.close();
        assertThat(OwnSessions.pids(FACTS.serverStart())).isEmpty();
    }

    @Test
    void theSamePidOnAnotherServerIsAnotherSession() {
        try (var registered = OwnSessions.register(FACTS)) {
            assertThat(registered).isNotNull();
            assertThat(OwnSessions.pids("another server of this test")).isEmpty();
        }
    }

    @Test
    void takingBackWhatWasNeverRegisteredDoesNothing() {
        OwnSessions.unregister("a third server of this test", 1);
        assertThat(OwnSessions.pids("a third server of this test")).isEmpty();
    }
}
