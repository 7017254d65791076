// SPDX-License-Identifier: Apache-2.0
package io.pglock.stress;

import io.pglock.LockClient;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** One JVM's part in the fuzz: clients, the threads that use them, and what went wrong. Thread-safe. */
final class FuzzRun {

    /** What is waited for after the time is over: sections end, and what was lost is told. */
    private static final Duration LONGEST_END = Duration.ofSeconds(30);

    private final SectionLog.Access access;
    private final Random seeds;
    private final Counts counts = new Counts();
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private final Queue<FuzzWorker.Watched> lost = new ConcurrentLinkedQueue<>();
    private final List<FuzzWorker> workers = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final List<LockClient> clients = new ArrayList<>();
    private volatile boolean over;

    /** What has happened, beside what the database knows. */
    record Counts(
            LongAdder acquired,
            LongAdder notInTime,
            LongAdder interrupts,
            LongAdder interrupted,
            LongAdder cancelledFutures,
            LongAdder lost,
            LongAdder reEntered,
            LongAdder downgraded) {
        Counts() {
            this(
                    new LongAdder(),
                    new LongAdder(),
                    new LongAdder(),
                    new LongAdder(),
                    new LongAdder(),
                    new LongAdder(),
                    new LongAdder(),
                    new LongAdder());
        }
    }

    /** @param seed what all its choices come from */
    FuzzRun(SectionLog.Access access, long seed) {
        this.access = access;
        this.seeds = new Random(seed);
    }

    SectionLog.Access access() {
        return access;
    }

    Counts counts() {
        return counts;
    }

    boolean isOver() {
        return over;
    }

    void failed(String who, Throwable failure) {
        StringWriter text = new StringWriter();
        failure.printStackTrace(new PrintWriter(text));
        failures.add(who + ": " + text);
        over = true;
    }

    void lost(FuzzWorker.Watched watched) {
        counts.lost().increment();
        lost.add(watched);
    }

    // ---- who takes part ---------------------------------------------------------------------------------------------

    void addClient(String name, int threadCount) throws SQLException {
        NotedDataSource dataSource = new NotedDataSource(access);
        LockClient client =
                LockClient.create(dataSource, LockClient.Options.defaults().name(name));
        clients.add(client);
        for (int i = 0; i < threadCount; i++) {
            String worker = name + "/" + i;
            add(new ClientWorker(worker, random(), this, client, dataSource), i % 2 == 1);
        }
    }

    void addOwnConnection(String name) throws SQLException {
        add(new SessionWorker(name, random(), this), false);
    }

    private Random random() {
        return new Random(seeds.nextLong());
    }

    private void add(FuzzWorker worker, boolean virtual) {
        workers.add(worker);
        threads.add(virtual ? VirtualThreads.orPlatform(worker, worker.name) : new Thread(worker, worker.name));
    }

    // ---- from beginning to end --------------------------------------------------------------------------------------

    void start() {
        threads.forEach(Thread::start);
    }

    /** Interrupts somebody now and then, for as long as the time lasts. */
    void interruptFor(Duration time) {
        Random random = random();
        long end = System.nanoTime() + time.toNanos();
        while (!over && System.nanoTime() - end < 0) {
            LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(random.nextInt(20_000)));
            workers.get(random.nextInt(workers.size())).interrupt();
        }
    }

    /** Waits for the end of all, and looks at what is left. */
    List<String> end() throws InterruptedException {
        over = true;
        long deadline = System.nanoTime() + LONGEST_END.toNanos();
        for (Thread thread : threads) {
            thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
            if (thread.isAlive()) {
                failures.add(
                        thread.getName() + " does not end: " + List.of(thread.getStackTrace()) + " with " + clients);
            }
        }
        awaitTold(deadline);
        for (FuzzWorker.Watched watched : lost) {
            if (watched.told().get() != 1 || watched.handle().isHeld()) {
                failures.add("lost, and told " + watched.told() + " times: " + watched);
            }
        }
        for (LockClient client : clients) {
            if (!client.toString().contains("holds 0 of") || !client.toString().contains(", 0 waiting")) {
                failures.add("not empty in the end: " + client);
            }
            client.close();
        }
        return List.copyOf(failures);
    }

    private void awaitTold(long deadline) {
        BooleanSupplier isTold =
                () -> lost.stream().allMatch(watched -> watched.told().get() > 0);
        while (!isTold.getAsBoolean() && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
    }

    @Override
    public String toString() {
        return counts.toString();
    }
}
