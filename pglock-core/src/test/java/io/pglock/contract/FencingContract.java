// SPDX-License-Identifier: Apache-2.0
package io.pglock.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.pglock.LockHandle;
import io.pglock.LockLostException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** A number by which a late writer is told from the one who holds the lock now. */
interface FencingContract extends OnStage {

    @Test
    default void hasOneFencingTokenForAsLongAsItIsHeld() {
        Engine.Party one = stage().party();

        try (LockHandle lock = one.advisory(KEY).acquire()) {
            long token = lock.fencingToken();
            assertThat(token).isPositive();
            assertThat(lock.fencingToken()).isEqualTo(token);
        }
    }

    @Test
    default void hasAHigherTokenThanEverybodyWhoHeldItBefore() {
        List<Engine.Party> parties = List.of(
                stage().party(),
                stage().partyOf(new ConnectionEngine()),
                stage().party(),
                stage().partyOf(ClientEngine.clients()),
                stage().partyOf(ClientEngine.owners()));
        List<Long> tokens = new ArrayList<>();

        for (int round = 0; round < 3; round++) {
            for (Engine.Party party : parties) {
                try (LockHandle lock = party.advisory(KEY).acquire()) {
                    tokens.add(lock.fencingToken());
                }
            }
        }

        assertThat(tokens).isSorted().doesNotHaveDuplicates();
    }

    @Test
    default void hasRisingTokensWhenManyWantIt() {
        List<Long> tokens = Collections.synchronizedList(new ArrayList<>());
        List<Future<Integer>> working = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Engine.Party party = stage().party();
            working.add(stage().start(() -> {
                for (int round = 0; round < 25; round++) {
                    try (LockHandle lock = party.advisory(KEY).timeout(LONG).acquire()) {
                        tokens.add(lock.fencingToken());
                    }
                }
                return 25;
            }));
        }

        assertThat(working.stream().mapToInt(stage()::get).sum()).isEqualTo(100);
        assertThat(tokens).hasSize(100).isSorted().doesNotHaveDuplicates();
    }

    @Test
    default void hasAnotherTokenThanThoseWhoShareIt() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();

        try (LockHandle first = one.advisory(KEY).shared().acquire();
                LockHandle second = two.advisory(KEY).shared().acquire();
                LockHandle again = two.advisory(KEY).shared().acquire()) {
            long token = first.fencingToken();
            assertThat(second.fencingToken()).isGreaterThan(token);
            assertThat(again.fencingToken()).isGreaterThan(second.fencingToken());
            assertThat(first.fencingToken()).isEqualTo(token);
        }
    }

    @Test
    default void hasNoTokenAfterItWasReleased() {
        Engine.Party one = stage().party();
        LockHandle asked = one.advisory(KEY).acquire();
        LockHandle neverAsked = one.advisory(KEY).acquire();
        assertThat(asked.fencingToken()).isPositive();
        asked.close();
        neverAsked.close();

        assertThatIllegalStateException().isThrownBy(asked::fencingToken).withMessageContaining("was released");
        assertThatIllegalStateException().isThrownBy(neverAsked::fencingToken).withMessageContaining("was released");
    }

    @Test
    default void hasNoTokenAfterItWasLost() {
        Engine.Party one = stage().party();
        LockHandle asked = one.advisory(KEY).acquire();
        LockHandle neverAsked = one.advisory(KEY).acquire();
        assertThat(asked.fencingToken()).isPositive();
        stage().kill(one);

        assertThatExceptionOfType(LockLostException.class).isThrownBy(neverAsked::fencingToken);
        one.look();
        stage().await("the loss to be noticed", () -> !asked.isHeld());
        assertThatExceptionOfType(LockLostException.class).isThrownBy(asked::fencingToken);
        assertThatExceptionOfType(LockLostException.class).isThrownBy(asked::close);
        assertThatExceptionOfType(LockLostException.class).isThrownBy(neverAsked::close);
    }
}
