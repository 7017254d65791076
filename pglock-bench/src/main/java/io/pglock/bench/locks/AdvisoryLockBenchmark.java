// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import io.pglock.AdvisoryLock;
import io.pglock.LockHandle;
import io.pglock.LockKey;
import io.pglock.PgLock;
import io.pglock.bench.Server;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A session lock taken and released, against the floor: two prepared {@code select 1} on the same connection, which is two
 * round trips as well. What counts is the ratio within one run.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 10, time = 2)
public class AdvisoryLockBenchmark {

    private final Server server = new Server();
    private final Connection connection;
    private final AdvisoryLock untimed;
    private final AdvisoryLock timed;

    public AdvisoryLockBenchmark() {
        connection = server.connect();
        untimed = PgLock.on(connection).advisory(LockKey.of(42));
        timed = untimed.timeout(Duration.ofSeconds(2));
    }

    @TearDown
    public void close() throws SQLException {
        connection.close();
        server.close();
    }

    @Benchmark
    public int floorTwoSelectOne() throws SQLException {
        return selectOne() + selectOne();
    }

    @Benchmark
    public void acquireAndRelease() {
        try (LockHandle held = untimed.acquire()) {
            held.isHeld();
        }
    }

    @Benchmark
    public void acquireAndReleaseTimed() {
        try (LockHandle held = timed.acquire()) {
            held.isHeld();
        }
    }

    /** Prepared anew each time, as pglock does: the driver finds the server's prepared statement in its cache. */
    private int selectOne() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("select 1");
                ResultSet row = statement.executeQuery()) {
            row.next();
            return row.getInt(1);
        }
    }
}
