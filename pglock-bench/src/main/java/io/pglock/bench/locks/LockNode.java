// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Callable;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A JVM that locks what it is told to: one command a line on standard input, one answer a line on standard output. It ends with
 * its input, or when it is told to. See {@link Node} for the other end.
 */
public final class LockNode {

    /** What answers begin with: other libraries may print too. */
    public static final String ANSWER = "node: ";

    private static final long KEY = 4711;

    /** Far from {@link #KEY}. */
    private static final long FIRST_OF_MANY = 1_000_000;

    private final Contender contender;
    private final int workers;
    private final Deque<Contender.Hold> held = new ArrayDeque<>();

    private LockNode(Contender contender, int workers) {
        this.contender = contender;
        this.workers = workers;
    }

    /** @param arguments URL, user, password, the contender and the number of workers */
    public static void main(String[] arguments) throws Exception {
        var dataSource = new PGSimpleDataSource();
        dataSource.setUrl(arguments[0]);
        dataSource.setUser(arguments[1]);
        dataSource.setPassword(arguments[2]);
        int workers = Integer.parseInt(arguments[4]);
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (Contender contender = Contenders.valueOf(arguments[3]).open(dataSource, workers)) {
            var node = new LockNode(contender, workers);
            answer("ready");
            for (String command = input.readLine();
                    command != null && !command.equals("end");
                    command = input.readLine()) {
                answer(node.obey(command.split(" ", -1)));
            }
            node.drop();
        }
    }

    private static void answer(String text) {
        System.out.println(ANSWER + text);
        System.out.flush();
    }

    private String obey(String[] command) throws Exception {
        return switch (command[0]) {
            case "acquire" -> {
                held.push(contender.acquire(0, KEY));
                yield Long.toString(Holding.now());
            }
            case "release" -> {
                long releasing = Holding.now();
                held.pop().release();
                yield Long.toString(releasing);
            }
            case "contend" -> contend(Long.parseLong(command[1]), Long.parseLong(command[2]), Path.of(command[3]));
            case "hold" -> hold(Integer.parseInt(command[1]));
            case "drop" -> drop();
            default -> throw new IllegalArgumentException(command[0]);
        };
    }

    /** All workers want the same key, until the second point in time; counted is what they got from the first one on. */
    private String contend(long from, long to, Path file) throws IOException, InterruptedException {
        List<Holding> all = new ArrayList<>();
        Workers.run(workers, worker -> (Callable<List<Holding>>) () -> contend(worker, from, to))
                .forEach(all::addAll);
        Holding.write(all, file);
        return Integer.toString(all.size());
    }

    private List<Holding> contend(int worker, long from, long to) throws Exception {
        List<Holding> holdings = new ArrayList<>();
        while (Holding.now() < to) {
            long asked = System.nanoTime();
            Contender.Hold hold = contender.acquire(worker, KEY);
            long waited = System.nanoTime() - asked;
            long acquired = Holding.now();
            long releasing = Holding.now();
            hold.release();
            if (acquired >= from && acquired < to) {
                holdings.add(new Holding(acquired, releasing, waited));
            }
        }
        return holdings;
    }

    /** Answers how many bytes of the heap each lock costs, and how many milliseconds all of them took. */
    private String hold(int count) throws Exception {
        contender.acquire(0, KEY).release(); // what is loaded with the first one is not counted
        long before = usedHeap();
        long begin = System.nanoTime();
        for (int i = 0; i < count; i++) {
            held.push(contender.acquire(0, FIRST_OF_MANY + i));
        }
        long millis = (System.nanoTime() - begin) / 1_000_000;
        return (usedHeap() - before) / count + " " + millis;
    }

    private String drop() throws Exception {
        long begin = System.nanoTime();
        while (!held.isEmpty()) {
            held.pop().release();
        }
        return Long.toString((System.nanoTime() - begin) / 1_000_000);
    }

    private static long usedHeap() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
