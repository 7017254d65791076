// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;

/** Threads that do the same at the same time. */
final class Workers {

    private static final int LONGEST_MINUTES = 5;

    private Workers() {}

    /** Waits for all of them; what one of them throws is thrown. */
    static <T> List<T> run(int workers, IntFunction<Callable<T>> work) throws InterruptedException {
        ExecutorService threads = Executors.newFixedThreadPool(workers);
        try {
            List<Callable<T>> tasks = new ArrayList<>();
            for (int worker = 0; worker < workers; worker++) {
                tasks.add(work.apply(worker));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> future : threads.invokeAll(tasks, LONGEST_MINUTES, TimeUnit.MINUTES)) {
                results.add(future.get());
            }
            return results;
        } catch (ExecutionException e) {
            throw new IllegalStateException("a worker has failed: " + e.getMessage(), e);
        } finally {
            threads.shutdownNow();
        }
    }
}
