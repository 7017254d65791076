// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SkipValueTest {

    private static SkipValue of(Class<?> type, String declared) {
        return SkipValue.of(type.getName(), type.isPrimitive(), true, Optional.ofNullable(declared));
    }

    @Test
    void nothingDeclaredIsTheEmptyFormOfTheType() {
        assertThat(of(void.class, null).value()).isNull();
        assertThat(of(String.class, null).value()).isNull();
        assertThat(of(Integer.class, null).value()).isNull();
        assertThat(of(byte[].class, null).value()).isNull();
        assertThat(of(Optional.class, null).value()).isEqualTo(Optional.empty());
        assertThat(of(OptionalInt.class, null).value()).isEqualTo(OptionalInt.empty());
        CompletableFuture<?> future =
                (CompletableFuture<?>) of(CompletableFuture.class, null).value();
        assertThat(future.isDone()).isTrue();
        assertThat(future.join()).isNull();
    }

    /** Somebody may complete it again, or add to it. */
    @Test
    void eachCallHasAFutureOfItsOwn() {
        SkipValue future = of(CompletableFuture.class, null);

        assertThat(future.value()).isNotSameAs(future.value());
    }

    @Test
    void isOfTheDeclaredType() {
        assertThat(of(int.class, "42").value()).isEqualTo(42);
        assertThat(of(long.class, "-1").value()).isEqualTo(-1L);
        assertThat(of(boolean.class, "true").value()).isEqualTo(true);
        assertThat(of(char.class, ";").value()).isEqualTo(';');
        assertThat(of(double.class, "1e3").value()).isEqualTo(1000.0);
        assertThat(of(Byte.class, "7").value()).isEqualTo((byte) 7);
        assertThat(of(String.class, "").value()).isEqualTo("");
    }

    @ParameterizedTest
    @ValueSource(
            classes = {
                int.class,
                long.class,
                boolean.class,
                char.class,
                double.class,
                float.class,
                byte.class,
                short.class
            })
    void aPrimitiveMustBeDeclared(Class<?> type) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> of(type, null))
                .withMessageContainingAll("it returns " + type, "skipValue=", "onTimeout=raise");
    }

    @ParameterizedTest
    @CsvSource({"int,many", "int,2147483648", "byte,128", "boolean,yes", "char,ab", "char,''", "java.lang.Long,1.5"})
    void whatCannotBeReadIsTold(String type, String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SkipValue.of(type, !type.contains("."), true, Optional.of(text)))
                .withMessage("skipValue=" + text + " is not a " + type);
    }

    @Test
    void whereItHasNoUseItIsTold() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> of(void.class, "0"))
                .withMessage("it returns nothing, so skipValue has no use");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> of(Optional.class, "0"))
                .withMessage("skipValue cannot be a java.util.Optional; leave it out");
    }

    @Test
    void whatIsNeverSkippedNeedsNone() {
        assertThat(SkipValue.of("int", true, false, Optional.empty()).value()).isNull();
    }
}
