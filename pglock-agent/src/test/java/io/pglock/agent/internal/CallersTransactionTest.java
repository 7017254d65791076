// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.agent.internal.AgentLog.Threshold;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Locks that stay when their methods have ended, and may be lost by then. */
class CallersTransactionTest {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final CallersTransaction transaction =
            new CallersTransaction(new AgentLog(Threshold.INFO, new PrintStream(bytes, true, StandardCharsets.UTF_8)));
    private final Site site = new Site(
            1,
            getClass().getClassLoader(),
            "com.acme.Stock.reserve",
            Spec.NOTHING,
            SkipValue.NONE,
            Optional.empty(),
            null);

    private static final class Lock implements HeldLock {
        private boolean lost;
        private int released;

        @Override
        public boolean isHeld() {
            return !lost && released == 0;
        }

        @Override
        public void release() {
            released++;
            if (lost) {
                throw new IllegalStateException("lost");
            }
        }
    }

    private Lock called() {
        Lock lock = new Lock();
        Scope scope = new Scope(site, null, transaction);
        scope.holdsLock(lock, new Place(null, null, "shop"), false);
        scope.endLock();
        return lock;
    }

    @Test
    void keepsOneForEachMethodUntilItHasEnded() {
        Lock first = called();
        Lock second = called();

        assertThat(first.released).isZero();
        assertThat(second.released).isEqualTo(1);
        transaction.commits();
        assertThat(first.released).isZero();
        transaction.ended();
        transaction.ended();
        assertThat(first.released).isEqualTo(1);
        assertThat(called().released).isEqualTo(1);
    }

    @Test
    void keepsNoneOfAMethodThatIsInAnotherMeanwhile() {
        transaction.suspended();
        Lock lock = called();
        transaction.resumed();

        assertThat(lock.released).isEqualTo(1);
    }

    @Test
    void isNotCommittedWhereOneIsLost() {
        Lock lock = called();
        lock.lost = true;
        Lock anew = called();

        assertThatThrownBy(transaction::commits).hasMessage("lost");
        transaction.ended();
        assertThat(lock.released).isEqualTo(1);
        assertThat(anew.released).isEqualTo(1);
    }

    @Test
    void tellsOfOneThatIsFoundToBeLostAtItsEnd() {
        Lock lock = called();
        lock.lost = true;

        transaction.ended();
        assertThat(lock.released).isEqualTo(1);
        assertThat(bytes.toString(StandardCharsets.UTF_8)).contains("com.acme.Stock.reserve: lost");
    }
}
