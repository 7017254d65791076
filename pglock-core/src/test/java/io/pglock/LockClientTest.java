// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.PostgresTest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** Many locks over one connection. */
@PostgresTest
class LockClientTest {

    private final DataSource dataSource;

    LockClientTest(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    @Test
    void takesAndReleases() {
        try (LockClient client = LockClient.create(dataSource);
                LockClient other = LockClient.create(dataSource)) {
            LockHandle lock = client.advisory("nightly-report").acquire();
            assertThat(lock.isHeld()).isTrue();
            assertThat(other.advisory("nightly-report").tryAcquire(Duration.ZERO))
                    .isEmpty();
            assertThatThrownBy(() -> other.advisory("nightly-report")
                            .timeout(Duration.ofMillis(50))
                            .acquire())
            long token = lock.fencingToken();
            lock.close();
            lock.close();
            try (LockHandle next =
                    other.advisory("nightly-report").tryAcquire(Duration.ZERO).orElseThrow()) {
                assertThat(next.fencingToken()).isGreaterThan(token);
            }
        }
    }

    @Test
    void holdsTenThousand() {
        try (LockClient client =
                LockClient.create(dataSource, LockClient.Options.defaults().maxLocks(10_000))) {
            List<LockHandle> held = new ArrayList<>();
            for (int i = 0; i < 10_000; i++) {
                held.add(client.advisory(LockKey.of(7, i)).acquire());
            }
            assertThatThrownBy(() -> client.advisory("one more").acquire())
                    .hasMessageContaining("max_locks_per_transaction");
            held.forEach(LockHandle::close);
        }
    }
}
