// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import io.pglock.bench.RawResults;
import io.pglock.bench.Server;
import io.pglock.bench.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Many locks that one JVM holds at once: what they cost it and the server. */
final class HeldLocks {

    static final int COUNT = 10_000;

    private static final Pattern RSS = Pattern.compile("^Rss:\\s+(\\d+) kB", Pattern.MULTILINE);

    private final Server server;
    private final Connection observer;

    /**
     * @param held of {@link #COUNT}, as the server counts them
     * @param heapBytes of the JVM, for each
     * @param rssBefore of the backends, in KiB, or 0 where they are not processes of this machine
     * @param acquireMillis for all of them, one after the other
     */
    record Figures(
            int held,
            int backends,
            long heapBytes,
            long rssBefore,
            long rssAfter,
            long acquireMillis,
            long releaseMillis) {}

    HeldLocks(Server server, Connection observer) {
        this.server = server;
        this.observer = observer;
    }

    Map<Contenders, Figures> measure(RawResults raw, Set<Contenders> contenders) throws Exception {
        Map<Contenders, Figures> all = new EnumMap<>(Contenders.class);
        for (Contenders contender : contenders) {
            Figures figures = measure(contender);
            all.put(contender, figures);
            String label = contender.label();
            raw.add("held", label, 1, 1, "held", figures.held());
            raw.add("held", label, 1, 1, "backends", figures.backends());
            raw.add("held", label, 1, 1, "heap bytes per lock", (double) figures.heapBytes());
            raw.add("held", label, 1, 1, "rss before KiB", (double) figures.rssBefore());
            raw.add("held", label, 1, 1, "rss after KiB", (double) figures.rssAfter());
            raw.add("held", label, 1, 1, "acquire ms", (double) figures.acquireMillis());
            raw.add("held", label, 1, 1, "release ms", (double) figures.releaseMillis());
            Settings.progress("held, %s: %s".formatted(label, figures));
        }
        return all;
    }

    private Figures measure(Contenders contender) throws Exception {
        try (Node node = Node.start(server, contender, 1)) {
            node.ask("acquire");
            node.ask("release");
            long before = rss(Server.backends(observer));
            String[] answer = node.ask("hold", COUNT).split(" ", -1);
            List<Long> backends = Server.backends(observer);
            int held = Server.advisoryLocks(observer);
            long after = rss(backends);
            long release = Long.parseLong(node.ask("drop"));
            return new Figures(
                    held,
                    backends.size(),
                    Long.parseLong(answer[0]),
                    before,
                    after,
                    Long.parseLong(answer[1]),
                    release);
        }
    }

    private static long rss(List<Long> pids) throws IOException {
        long kibibytes = 0;
        for (long pid : pids) {
            Path memory = Path.of("/proc", Long.toString(pid), "smaps_rollup");
            if (!Files.isReadable(memory)) {
                return 0;
            }
            Matcher rss = RSS.matcher(Files.readString(memory));
            kibibytes += rss.find() ? Long.parseLong(rss.group(1)) : 0;
        }
        return kibibytes;
    }
}
