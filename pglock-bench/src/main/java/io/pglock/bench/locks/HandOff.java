// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import io.pglock.bench.Numbers;
import io.pglock.bench.RawResults;
import io.pglock.bench.Samples;
import io.pglock.bench.Server;
import io.pglock.bench.Settings;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * One JVM holds a lock for so long that another one, which waits for it, backs off as far as it ever does: how long after the
 * release begins does the other have it.
 */
final class HandOff {

    /** And up to as many more as the longest back-off may last, so that the release comes at any point of it. */
    static final int HELD_MILLIS = 600;

    private static final int SPREAD_MILLIS = 100;

    private final Settings settings;
    private final Server server;

    HandOff(Settings settings, Server server) {
        this.settings = settings;
        this.server = server;
    }

    /** Ten times the duration of one measurement for each contender, but ten hand-offs at least. */
    int count() {
        return (int) Math.max(10, settings.duration().toMillis() * 10 / (HELD_MILLIS + SPREAD_MILLIS / 2));
    }

    /** In microseconds. */
    Map<Contenders, Samples> measure(RawResults raw) throws Exception {
        Map<Contenders, Samples> handOffs = new EnumMap<>(Contenders.class);
        for (Contenders contender : Contenders.which(Contenders::waits)) {
            Samples samples = measure(contender, raw);
            handOffs.put(contender, samples);
            Settings.progress("hand-off, %s: p50 %s ms"
                    .formatted(contender.label(), Numbers.text(samples.percentile(0.5) / 1e3)));
        }
        return handOffs;
    }

    private Samples measure(Contenders contender, RawResults raw) throws Exception {
        var samples = new Samples();
        try (Node one = Node.start(server, contender, 1);
                Node other = Node.start(server, contender, 1)) {
            List<Node> nodes = List.of(one, other);
            one.ask("acquire");
            for (int i = 0; i < count(); i++) {
                Node holder = nodes.get(i % 2);
                Node waiter = nodes.get((i + 1) % 2);
                waiter.tell("acquire");
                TimeUnit.MILLISECONDS.sleep(
                        HELD_MILLIS + ThreadLocalRandom.current().nextInt(SPREAD_MILLIS));
                long releasing = Long.parseLong(holder.ask("release"));
                long acquired = Long.parseLong(waiter.answer());
                samples.add(acquired - releasing);
                raw.add("hand-off", contender.label(), 1, i + 1, "hand-off ms", (acquired - releasing) / 1e3);
            }
        }
        return samples;
    }
}
