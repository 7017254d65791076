// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/**
 * That a worker held a lock. Points in time are of the clock that all JVMs of a machine share, in microseconds; the holder read
 * both while it held the lock.
 *
 * @param waitedNanos from asking to having
 */
record Holding(long acquired, long releasing, long waitedNanos) {

    static long now() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
    }

    static void write(List<Holding> holdings, Path file) throws IOException {
        try (var out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)))) {
            out.writeInt(holdings.size());
            for (Holding holding : holdings) {
                out.writeLong(holding.acquired);
                out.writeLong(holding.releasing);
                out.writeLong(holding.waitedNanos);
            }
        }
    }

    static List<Holding> read(Path file) throws IOException {
        try (var in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
            int size = in.readInt();
            List<Holding> holdings = new ArrayList<>(size);
            for (int i = 0; i < size; i++) {
                holdings.add(new Holding(in.readLong(), in.readLong(), in.readLong()));
            }
            return holdings;
        }
    }
}
