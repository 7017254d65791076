// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One direction of a connection through a {@link TcpProxy}: delivers what is written to it when the {@link Network} says so.
 * What is delayed is stamped when it is written and delivered by a thread of its own, so that a delay costs time and no
 * bandwidth, however many chunks are under way. Closing it waits until the end of the connection may be delivered as well,
 * and leaves it open.
 *
 * <p>Only one thread may write.
 */
final class Wire extends OutputStream {
    /** Where the sender has to wait: some megabytes. */
    private static final int MOST_UNDER_WAY = 1_024;

    /** How late Linux wakes a thread that parks, if nothing else is wrong. */
    private static final long TIMER_SLACK = TimeUnit.MICROSECONDS.toNanos(50);

    private final OutputStream target;
    private final Network network;
    private final BlockingQueue<Chunk> chunks = new ArrayBlockingQueue<>(MOST_UNDER_WAY);
    private final AtomicInteger underWay = new AtomicInteger();
    private @Nullable Thread delivering;
    private volatile @Nullable IOException failure;

    Wire(OutputStream target, Network network) {
        this.target = target;
        this.network = network;
    }

    @Override
    public void write(int single) throws IOException {
        write(new byte[] {(byte) single}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        long delay = network.delayNanos();
        // What was delayed before must not be overtaken.
        if (delay == 0 && underWay.get() == 0) {
            network.awaitResumed();
            target.write(bytes, offset, length);
        } else {
            send(new Chunk(Arrays.copyOfRange(bytes, offset, offset + length), System.nanoTime() + delay, false));
        }
    }

    private void send(Chunk chunk) throws IOException {
        IOException failed = failure;
        if (failed != null) {
            throw failed;
        }
        if (delivering == null) {
            delivering = new Thread(this::deliver, "testkit-proxy-delay");
            delivering.setDaemon(true);
            delivering.start();
        }
        underWay.incrementAndGet();
        try {
            chunks.put(chunk);
        } catch (InterruptedException e) {
            throw new InterruptedIOException("interrupted while sending");
        }
    }

    private void deliver() {
        try {
            for (Chunk chunk = chunks.take(); !chunk.last(); chunk = chunks.take()) {
                deliver(chunk);
                underWay.decrementAndGet();
            }
        } catch (InterruptedException e) {
            // Nobody has this thread but the one that writes, which does not interrupt it.
            Thread.currentThread().interrupt();
        }
    }

    /** After a failure the rest is thrown away, so that the sender does not wait for room: it is told instead. */
    private void deliver(Chunk chunk) {
        if (failure != null) {
            return;
        }
        parkUntil(chunk.due());
        network.awaitResumed();
        try {
            target.write(chunk.bytes());
        } catch (IOException e) {
            failure = e;
        }
    }

    /** Parks a little short, and gives way for what is left of the time: a delay of half a millisecond is one. */
    // Nothing depends on it but how far others get meanwhile.
    @SuppressWarnings("ThreadPriorityCheck")
    private static void parkUntil(long due) {
        for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
            if (left > TIMER_SLACK) {
                LockSupport.parkNanos(left - TIMER_SLACK);
            } else {
                Thread.yield();
            }
        }
    }

    @Override
    public void close() throws IOException {
        long due = System.nanoTime() + network.delayNanos();
        Thread thread = delivering;
        if (thread != null) {
            try {
                chunks.put(new Chunk(new byte[0], due, true));
                thread.join();
            } catch (InterruptedException e) {
                throw new InterruptedIOException("interrupted while the rest was delivered");
            }
        }
        // Whoever closes the connection now tells the other side, which is a delivery too.
        parkUntil(due);
        network.awaitResumed();
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Chunk(byte[] bytes, long due, boolean last) {}
}
