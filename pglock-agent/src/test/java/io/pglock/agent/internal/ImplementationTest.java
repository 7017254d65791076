// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ImplementationTest {

    interface Store<T> {
        void save(T what);

        Object find();

        default void sweep() {}
    }

    interface Sweeping<T> extends Store<T> {
        @Override
        default void sweep() {}
    }

    static class Numbers implements Store<Integer> {
        @Override
        public void save(Integer what) {}

        void save(String other) {}

        @Override
        public Integer find() {
            return 1;
        }
    }

    static class Heir extends Numbers implements Sweeping<Integer> {}

    static class Base {
        public void save(Integer what) {}

        public Object find() {
            return "";
        }
    }

    static class Inheriting extends Base implements Store<Integer> {}

    static class Doubtful implements Store<Integer> {
        @Override
        public void save(Integer what) {}

        public void save(Long other) {}

        @Override
        public Object find() {
            return "";
        }
    }

    private static Method called(String name) {
        return Arrays.stream(Store.class.getDeclaredMethods())
                .filter(method -> method.getName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static Method declared(Class<?> in, String name, Class<?>... parameters) throws NoSuchMethodException {
        return in.getDeclaredMethod(name, parameters);
    }

    @Test
    void isWhatTheBridgeOfAGenericMethodCalls() throws NoSuchMethodException {
        Method save = declared(Base.class, "save", Integer.class);

        assertThat(Implementation.of(called("save"), Inheriting.class)).isEqualTo(save);
        assertThat(Implementation.of(save, Inheriting.class)).isEqualTo(save);
    }

    @Test
    void hasTheTypesOfTheClassAndNotOfTheInterface() {
        Method find = Implementation.of(called("find"), Heir.class);

        assertThat(find.getDeclaringClass()).isEqualTo(Numbers.class);
        assertThat(find.getReturnType()).isEqualTo(Integer.class);
    }

    @Test
    void isTheInterfacesOwnBodyWhereTheClassHasNone() throws NoSuchMethodException {
        assertThat(Implementation.of(called("sweep"), Numbers.class)).isEqualTo(called("sweep"));
        assertThat(Implementation.of(called("sweep"), Heir.class)).isEqualTo(declared(Sweeping.class, "sweep"));
    }

    @Test
    void isNotGuessed() {
        assertThat(Implementation.of(called("save"), Doubtful.class)).isEqualTo(called("save"));
    }
}
