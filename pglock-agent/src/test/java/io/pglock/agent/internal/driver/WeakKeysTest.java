// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class WeakKeysTest {

    private record Key(int number) {}

    private final WeakKeys<Key, String> values = new WeakKeys<>();

    @Test
    void tellsEqualKeysApart() {
        Key one = new Key(1);
        Key other = new Key(1);
        values.put(one, "one");

        assertThat(values.get(other)).isNull();
        assertThat(values.computeIfAbsent(other, key -> "other")).isEqualTo("other");
        assertThat(values.computeIfAbsent(one, key -> "another")).isEqualTo("one");
        assertThat(values.keys()).hasSize(2);
        values.remove(one);
        assertThat(values.get(one)).isNull();
        assertThat(values.get(other)).isEqualTo("other");
    }

    @Test
    void putsTheNewValueInThePlaceOfTheOldOne() {
        Key key = new Key(1);
        values.put(key, "old");
        values.put(key, "new");

        assertThat(values.get(key)).isEqualTo("new");
        assertThat(values.keys()).containsExactly(key);
    }

    @Test
    void letsGoOfAKeyThatNobodyElseHas() throws Exception {
        WeakKeys<Object, Object> objects = new WeakKeys<>();
        Object kept = new Object();
        objects.put(kept, "kept");
        WeakReference<Object> value = of(objects);
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (value.get() != null) {
            assertThat(System.nanoTime())
                    .as("waited 20 s for a value to be collected")
                    .isLessThan(until);
            System.gc();
            objects.computeIfAbsent(new Object(), key -> "looks for what is gone");
        }
        assertThat(objects.get(kept)).isEqualTo("kept");
    }

    private static WeakReference<Object> of(WeakKeys<Object, Object> objects) {
        Object value = new Object();
        objects.put(new Object(), value);
        return new WeakReference<>(value);
    }

    @Test
    void givesAllThreadsTheSameValue() throws Exception {
        for (int round = 0; round < 200; round++) {
            Key key = new Key(round);
            CountDownLatch together = new CountDownLatch(4);
            List<CompletableFuture<String>> found = IntStream.range(0, 4)
                    .mapToObj(thread -> CompletableFuture.supplyAsync(
                            () -> {
                                together.countDown();
                                return values.computeIfAbsent(key, one -> "of thread " + thread);
                            },
                            work -> new Thread(work).start()))
                    .toList();
            assertThat(together.await(20, TimeUnit.SECONDS)).isTrue();
            for (CompletableFuture<String> each : found) {
                assertThat(each.get(20, TimeUnit.SECONDS)).isEqualTo(values.get(key));
            }
        }
    }
}
