// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContestTest {

    private static Holding from(long acquired, long releasing) {
        return new Holding(acquired, releasing, acquired * 10);
    }

    @Test
    void whoGotLessAndForHowLongNothing() {
        var contest =
                new Contest(List.of(from(110, 111), from(120, 121), from(190, 191)), List.of(from(130, 131)), 100, 200);

        assertThat(contest.count()).isEqualTo(4);
        assertThat(contest.smallerShare()).isEqualTo(0.25);
        assertThat(contest.longestNothing()).isEqualTo(70);
        assertThat(contest.waits().percentile(1)).isEqualTo(1_900);
    }

    @Test
    void aJvmThatGetsNothingAtAllGetsNothingAllTheTime() {
        var contest = new Contest(List.of(from(150, 151)), List.of(), 100, 200);

        assertThat(contest.smallerShare()).isZero();
        assertThat(contest.longestNothing()).isEqualTo(100);
    }

    @Test
    void onlyFromJvmToJvmIsItHandedOff() {
        var contest =
                new Contest(List.of(from(110, 112), from(113, 114)), List.of(from(120, 121), from(122, 123)), 100, 200);

        assertThat(contest.handOffs().size()).isEqualTo(1);
        assertThat(contest.handOffs().percentile(1)).isEqualTo(6);
    }

    @Test
    void twoHoldersAtOnceAreSeen() {
        assertThat(new Contest(List.of(from(110, 120)), List.of(from(120, 130)), 100, 200).overlaps())
                .isZero();
        assertThat(new Contest(List.of(from(110, 120)), List.of(from(119, 130)), 100, 200).overlaps())
                .isEqualTo(1);
        assertThat(new Contest(List.of(from(110, 150)), List.of(from(120, 121), from(140, 141)), 100, 200).overlaps())
                .isEqualTo(2);
    }

    @Test
    void holdingsComeThroughAFile(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("holdings");
        List<Holding> holdings = List.of(from(1, 2), from(3, 4));

        Holding.write(holdings, file);

        assertThat(Holding.read(file)).isEqualTo(holdings);
    }
}
