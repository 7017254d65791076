// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import io.pglock.bench.Machine;
import io.pglock.bench.RawResults;
import io.pglock.bench.Samples;
import io.pglock.bench.Server;
import io.pglock.bench.Settings;
import io.pglock.testkit.TcpProxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;

/**
 * Advisory locks against the peers, in one run on one server: writes {@code locks.md}, {@code locks.svg} and {@code locks.csv},
 * the raw results.
 */
public final class Locks {

    private static final Duration EACH_WAY = Duration.ofNanos(500_000);

    /**
     * @param far with 1 ms added to each round trip
     * @param handOffs in microseconds
     */
    record Results(
            Map<Uncontended.Case, Uncontended.Figures> near,
            Map<Uncontended.Case, Uncontended.Figures> far,
            Map<Contenders, Contended.Figures> contended,
            Map<Contenders, Samples> handOffs,
            Map<Contenders, HeldLocks.Figures> held) {}

    private Locks() {}

    /** Measures everything; see {@link Settings} for how much of it. */
    public static void main(String[] arguments) throws Exception {
        Settings settings = Settings.ofSystemProperties();
        var raw = new RawResults();
        try (var server = Server.asShipped();
                Connection observer = server.connect()) {
            Contenders.createTables(observer);
            List<List<String>> machine = Machine.describe(observer);
            var uncontended = new Uncontended("uncontended", settings, server.dataSource(), observer);
            uncontended.warmUp();
            var near = uncontended.measure(raw);
            Map<Uncontended.Case, Uncontended.Figures> far;
            try (TcpProxy proxy = server.proxy().delay(EACH_WAY)) {
                far = new Uncontended("uncontended, 1 ms", settings, server.dataSource(proxy), observer).measure(raw);
            }
            var contended = new Contended(settings, server, observer).measure(raw);
            var handOffs = new HandOff(settings, server).measure(raw);
            var held = new HeldLocks(server, observer).measure(raw, EnumSet.of(Contenders.RAW, Contenders.LOCK_CLIENT));
            Path directory = Files.createDirectories(settings.directory());
            raw.write(directory.resolve("locks.csv"));
            var results = new Results(near, far, contended, handOffs, held);
            LocksChart.of(results).write(directory.resolve("locks.svg"));
            LocksPage.of(results, machine, settings).write(directory.resolve("locks.md"));
        }
    }
}
