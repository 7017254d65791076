// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledFuture;
import kotlin.coroutines.Continuation;
import net.bytebuddy.description.method.MethodDescription;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.matcher.ElementMatchers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.scheduling.annotation.Async;
import reactor.core.publisher.Mono;

class WeavableTest {

    private static final TypeDescription TYPE = TypeDescription.ForLoadedType.of(Methods.class);

    private static final Spec TIMEOUT = Spec.parse(Map.of("lockTimeout", "1s", "prioritize", "off"));
    private static final Spec LOCK = Spec.parse(Map.of("advisory", "true", "prioritize", "off"));
    private static final Spec WATCH = Spec.parse(Map.of("prioritize", "terminate"));
    private static final Spec DONE =
            Spec.parse(Map.of("advisory", "true", "prioritize", "off", "doneOnReturn", "true"));

    abstract static class Methods {
        Methods() {}

        abstract void abstractOne();

        native void nativeOne();

        void plain() {}

        synchronized void guarded() {}

        Future<String> future() {
            return CompletableFuture.completedFuture("");
        }

        CompletionStage<String> stage() {
            return CompletableFuture.completedFuture("");
        }

        Mono<String> mono() {
            return new Mono<>("");
        }

        ScheduledFuture<String> scheduled() {
            throw new UnsupportedOperationException();
        }

        ForkJoinTask<String> forked() {
            throw new UnsupportedOperationException();
        }

        @Async
        CompletableFuture<String> async() {
            return CompletableFuture.completedFuture("");
        }

        Object suspend(int number, Continuation<String> continuation) {
            return number;
        }

        Object notSuspend(Continuation<String> continuation, int number) {
            return number;
        }
    }

    interface Contract {
        void method();
    }

    private static MethodDescription method(String name) {
        return TYPE.getDeclaredMethods().filter(ElementMatchers.named(name)).getOnly();
    }

    @Test
    void whatHasNoBodyOfItsOwnCannotBeWoven() {
        assertThat(Weavable.whyNot(TYPE, method("abstractOne")))
                .hasValueSatisfying(why -> assertThat(why).startsWith("it is abstract;"));
        assertThat(Weavable.whyNot(TYPE, method("nativeOne")))
                .hasValueSatisfying(why -> assertThat(why).startsWith("it is native;"));
        assertThat(Weavable.whyNot(
                        TYPE,
                        TYPE.getDeclaredMethods()
                                .filter(ElementMatchers.isConstructor())
                                .getOnly()))
                .hasValueSatisfying(why -> assertThat(why).startsWith("it is a constructor"));
        TypeDescription contract = TypeDescription.ForLoadedType.of(Contract.class);
        assertThat(Weavable.whyNot(contract, contract.getDeclaredMethods().getOnly()))
                .hasValueSatisfying(why -> assertThat(why).startsWith("it is abstract, in an interface;"));
        assertThat(Weavable.whyNot(TYPE, method("plain"))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"future", "stage", "scheduled", "forked", "mono", "suspend"})
    void whatMayGoOnAfterItHasReturnedHasNoLockAndNobodyWatching(String name) {
        assertThatIllegalArgumentException().isThrownBy(() -> Weavable.check(method(name), LOCK));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Weavable.check(method(name), WATCH))
                .withMessageContaining("doneOnReturn=true");
        assertThatCode(() -> Weavable.check(method(name), TIMEOUT)).doesNotThrowAnyException();
        assertThat(Weavable.caution(method(name), TIMEOUT)).isPresent();
    }

    @ParameterizedTest
    @ValueSource(strings = {"future", "stage", "scheduled", "forked", "mono", "suspend"})
    void unlessItIsKnownToBeDoneByThen(String name) {
        assertThatCode(() -> Weavable.check(method(name), DONE)).doesNotThrowAnyException();
        assertThat(Weavable.caution(method(name), DONE)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "async", "notSuspend"})
    void everythingElseMayHaveAll(String name) {
        assertThatCode(() -> Weavable.check(method(name), LOCK)).doesNotThrowAnyException();
        assertThat(Weavable.caution(method(name), LOCK)).isEmpty();
    }

    @Test
    void threadsThatWaitForEachOtherAreWorthAWarning() {
        assertThat(Weavable.caution(method("guarded"), LOCK))
                .hasValueSatisfying(why -> assertThat(why).startsWith("it is synchronized"));
        assertThat(Weavable.caution(method("guarded"), TIMEOUT)).isEmpty();
    }
}
