// SPDX-License-Identifier: Apache-2.0
package io.pglock.stress;

import io.pglock.LockClient;
import io.pglock.LockHandle;
import io.pglock.LockLostException;
import io.pglock.LockTimeoutException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Another JVM with a {@link LockClient}, which does what it is told in lines, each on a thread of its own:
 *
 * <ul>
 *   <li>{@code acquire KEY} prints {@code acquired KEY MILLIS}, the time of the day, once it is; and {@code lost KEY} should it be
 *   <li>{@code try KEY MILLIS} prints {@code got KEY} or {@code not acquired: } and why not
 *   <li>{@code release KEY} prints {@code released KEY} or {@code was lost KEY}
 *   <li>{@code held KEY} prints {@code held KEY true} or {@code false}
 *   <li>{@code turns KEY NUMBER} takes and releases it until {@code enough KEY} comes, and prints {@code turns KEY} when it has had
 *       it that often
 * </ul>
 */
final class LockJvm {

    private final LockClient client;
    private final Map<String, LockHandle> handles = new ConcurrentHashMap<>();
    private volatile boolean enough;

    private LockJvm(LockClient client) {
        this.client = client;
    }

    /** Arguments: URL, user, password, the name of the client. */
    public static void main(String[] arguments) throws IOException {
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setUrl(arguments[0]);
        dataSource.setUser(arguments[1]);
        dataSource.setPassword(arguments[2]);
        try (LockClient client =
                LockClient.create(dataSource, LockClient.Options.defaults().name(arguments[3]))) {
            LockJvm jvm = new LockJvm(client);
            System.out.println("ready");
            BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = lines.readLine(); line != null && !line.equals("end"); line = lines.readLine()) {
                String[] words = line.split(" ", -1);
                Thread thread = new Thread(() -> jvm.obey(words));
                thread.setDaemon(true);
                thread.start();
            }
        }
    }

    private void obey(String[] words) {
        String key = words[1];
        switch (words[0]) {
            case "acquire" -> acquire(key);
            case "try" -> tryAcquire(key, Long.parseLong(words[2]));
            case "release" -> release(key);
            case "held" ->
                System.out.println("held " + key + " " + handles.get(key).isHeld());
            case "turns" -> turns(key, Integer.parseInt(words[2]));
            case "enough" -> enough = true;
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    private void acquire(String key) {
        LockHandle handle = client.advisory(key).owner(key).acquire();
        handles.put(key, handle);
        handle.onLost(() -> System.out.println("lost " + key));
        System.out.println("acquired " + key + " " + System.currentTimeMillis());
    }

    private void tryAcquire(String key, long millis) {
        try (LockHandle handle =
                client.advisory(key).timeout(Duration.ofMillis(millis)).acquire()) {
            System.out.println("got " + handle.key());
        } catch (LockTimeoutException e) {
            System.out.println("not acquired: " + e.getMessage());
        }
    }

    private void release(String key) {
        try {
            handles.get(key).close();
            System.out.println("released " + key);
        } catch (LockLostException e) {
            System.out.println("was lost " + key);
        }
    }

    private void turns(String key, int number) {
        int turns = 0;
        while (!enough) {
            try (LockHandle handle = client.advisory(key).acquire()) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
                turns += handle.isHeld() ? 1 : 0;
            }
            if (turns == number) {
                System.out.println("turns " + key);
            }
        }
        System.out.println("ended " + key);
    }
}
