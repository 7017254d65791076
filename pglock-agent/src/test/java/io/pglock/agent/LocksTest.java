// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresTest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tables and keys that a method locks in each of its transactions, on the connection that it uses. */
@PostgresTest
class LocksTest {

    private final Database database;

    LocksTest(Database database) {
        this.database = database;
    }

    static Stream<Path> jvms() {
        return AgentJvm.jvms();
    }

    @ParameterizedTest
    @MethodSource("jvms")
    void aTransactionHasItsLocksAtItsFirstStatement(Path jvm) {
        try (ForkedJvm application =
                AgentJvm.with("", Locks.class).java(jvm).database(database).start()) {
            application.awaitLine("armed:", Duration.ofSeconds(50));

            assertThat(application.exitCode()).isZero();
            assertThat(application.output().stream()
                            .filter(line -> !line.contains("[pglock] INFO") && !line.contains(". Trying again ")))
                    .containsExactly(
                            "each transaction: [ShareRowExclusiveLock, none, ShareRowExclusiveLock, none]",
                            "each transaction, a key: [ExclusiveLock, ExclusiveLock]",
                            "already open: ShareRowExclusiveLock ShareRowExclusiveLock",
                            "back to before: [ShareRowExclusiveLock ExclusiveLock, ShareRowExclusiveLock ExclusiveLock]",
                            "back to before: [ShareRowExclusiveLock ExclusiveLock, ShareRowExclusiveLock ExclusiveLock]",
                            "autocommit: io.pglock.LockNotSupportedException io.pglock.agent.Locks.table: its table lock"
                                    + " lasts as long as a transaction, and it has none: its connection is in autocommit."
                                    + " Call setAutoCommit(false), or make the method @Transactional.",
                            "autocommit, not skipped: io.pglock.LockNotSupportedException",
                            "autocommit, next: 0",
                            "not to be had: [LockTimeoutException, caused by 55P03, LockTimeoutException, caused by 55P03,"
                                    + " skipped, LockTimeoutException, caused by 55P03] false",
                            "to be had: ran ran",
                            "in the end: ran 2",
                            "in the end, a key: ran 2",
                            "in the end, skipped: skipped 1",
                            "nested: ShareRowExclusiveLock ExclusiveLock",
                            "beside: [ShareRowExclusiveLock, none, ShareRowExclusiveLock, none, ShareRowExclusiveLock,"
                                    + " ShareRowExclusiveLock]",
                            "beside: [ExclusiveLock, none, ExclusiveLock, none, ExclusiveLock, ExclusiveLock]",
                            "beside, back to a savepoint: [ShareRowExclusiveLock, none, ShareRowExclusiveLock]",
                            "beside, of a nested method: [ShareRowExclusiveLock, none, none, ExclusiveLock]",
                            "beside, another database: [ExclusiveLock, ExclusiveLock]",
                            "armed: 0");
        }
    }
}
