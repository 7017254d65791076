// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Every figure of every round, as CSV: what the tables are made of. */
public final class RawResults {

    private final StringBuilder lines = new StringBuilder("measurement,contender,threads,round,figure,value\n");

    /** @param threads of each JVM */
    public void add(String measurement, String contender, int threads, int round, String figure, double value) {
        lines.append(quoted(measurement))
                .append(',')
                .append(quoted(contender))
                .append(String.format(Locale.ROOT, ",%d,%d,", threads, round))
                .append(quoted(figure))
                .append(',')
                .append(Double.toString(value))
                .append('\n');
    }

    public void write(Path file) throws IOException {
        Files.writeString(file, lines);
    }

    @Override
    public String toString() {
        return lines.toString();
    }

    private static String quoted(String text) {
        return text.matches("[^\",\\r\\n]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
    }
}
