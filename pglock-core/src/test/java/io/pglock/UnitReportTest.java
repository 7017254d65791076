// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written where; what it says is {@link LockGuardReportTest}'s. */
class UnitReportTest {

    private static final int LINES = 100;

    private static Callable<Boolean> writing(String letter, Path file) {
        return () -> {
            UnitWatch nobody = new UnitWatch(letter, LockPolicy.defaults(), LockGuard.Messages.SYSTEM);
            for (int i = 0; i < LINES; i++) {
                new UnitReport(letter.repeat(100_000)).end(nobody, Optional.of(file), LockGuard.Messages.SYSTEM);
            }
            return true;
        };
    }

    @Test
    void unitsThatShareAFileDoNotWriteIntoEachOthersLines(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("report.jsonl");
        ExecutorService both = Executors.newFixedThreadPool(2);
        try {
            for (Future<Boolean> written :
                    both.invokeAll(List.of(writing("a", file), writing("b", file)), 60, TimeUnit.SECONDS)) {
                assertThat(written.get()).isTrue();
            }
        } finally {
            both.shutdownNow();
        }
        try (Stream<String> lines = Files.lines(file)) {
            assertThat(lines.filter(line -> line.matches("\\{\"unit\":\"(a{100000}|b{100000})\",.*}")))
                    .hasSize(2 * LINES);
        }
    }
}
