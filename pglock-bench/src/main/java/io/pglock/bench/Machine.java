// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Locale;

/** Where figures come from: for a page to say so. */
public final class Machine {

    private Machine() {}

    /** Rows of two cells: what, and which. */
    public static List<List<String>> describe(Connection connection) throws SQLException, IOException {
        var system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        return List.of(
                List.of("Date", LocalDate.now(ZoneOffset.UTC).toString()),
                List.of("Processor", Runtime.getRuntime().availableProcessors() + " cores" + model()),
                List.of(
                        "Memory",
                        String.format(Locale.ROOT, "%.1f GiB", system.getTotalMemorySize() / (double) (1L << 30))),
                List.of("System", System.getProperty("os.name") + ", " + System.getProperty("os.arch")),
                List.of("JDK", System.getProperty("java.runtime.version") + ", " + System.getProperty("java.vendor")),
                List.of(
                        "PostgreSQL",
                        Server.show(connection, "server_version") + ", on the same machine, synchronous_commit "
                                + Server.show(connection, "synchronous_commit") + ", fsync "
                                + Server.show(connection, "fsync")),
                List.of("Driver", "pgjdbc " + connection.getMetaData().getDriverVersion()));
    }

    private static String model() throws IOException {
        Path file = Path.of("/proc/cpuinfo");
        if (!Files.isReadable(file)) {
            return "";
        }
        return Files.readAllLines(file).stream()
                .filter(line -> line.startsWith("model name"))
                .map(line -> ", " + line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("");
    }
}
