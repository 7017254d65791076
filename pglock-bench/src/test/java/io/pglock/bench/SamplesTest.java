// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class SamplesTest {

    @Test
    void aPercentileIsOneOfTheValues() {
        Samples samples =
                Samples.of(LongStream.rangeClosed(1, 100).map(i -> 101 - i).toArray());

        assertThat(samples.percentile(0.5)).isEqualTo(50);
        assertThat(samples.percentile(0.99)).isEqualTo(99);
        assertThat(samples.percentile(1)).isEqualTo(100);
        assertThat(samples.percentile(0)).isEqualTo(1);
    }

    @Test
    void whatIsAddedAfterAPercentileCountsInTheNext() {
        Samples samples = Samples.of(5, 6, 7);
        assertThat(samples.percentile(1)).isEqualTo(7);

        samples.add(4);
        samples.add(8);

        assertThat(samples.percentile(0)).isEqualTo(4);
        assertThat(samples.percentile(0.5)).isEqualTo(6);
        assertThat(samples.percentile(1)).isEqualTo(8);
    }

    @Test
    void manySamplesBecomeOne() {
        Samples many = Samples.of(LongStream.range(0, 5_000).toArray());

        Samples all = Samples.of(List.of(many, new Samples(), Samples.of(9_999)));

        assertThat(all.size()).isEqualTo(5_001);
        assertThat(all.percentile(1)).isEqualTo(9_999);
    }

    @Test
    void nothingHasNoPercentile() {
        assertThatThrownBy(() -> new Samples().percentile(0.5)).hasMessage("nothing was measured");
    }
}
