// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.execute;
import static io.pglock.agent.Readings.value;

import com.zaxxer.hikari.HikariDataSource;
import io.pglock.annotation.OnTimeout;
import io.pglock.annotation.WithAdvisoryLock;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.util.Arrays;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** An application that holds a lock while a method of its runs; it does what it reads, line by line. */
final class SideLocks {

    private static final BufferedReader LINES =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

    private final Readings readings;

    private final Path driver;

    /** Another database. */
    private final String elsewhere;

    private SideLocks(Readings readings, Path driver, String elsewhere) {
        this.readings = readings;
        this.driver = driver;
        this.elsewhere = elsewhere;
    }

    public static void main(String... arguments) throws IOException {
        SideLocks application = new SideLocks(Readings.of(arguments), Path.of(arguments[3]), arguments[4]);
        application.readings.line("ready");
        for (String line = LINES.readLine(); line != null && !line.equals("end"); line = LINES.readLine()) {
            String what = line;
            application.readings.reading(what, () -> application.does(what));
        }
    }

    private void does(String what) throws Exception {
        switch (what) {
            case "connect" -> {
                try (Connection connection = readings.connect()) {
                    readings.line("connected", value(connection, "select 'once'"));
                }
            }
            case "connect elsewhere" -> {
                try (Connection connection =
                        DriverManager.getConnection(elsewhere, readings.user(), readings.password())) {
                    readings.line("connected", value(connection, "select 'elsewhere'"));
                }
            }
            case "connect through another driver" -> readings.line("connected", throughAnotherDriver());
            case "hold" -> readings.line("returned", report(this::held));
            case "try" -> readings.line("returned", report(this::orSkipped));
            case "try at once" -> readings.line("returned", report(this::orSkippedAtOnce));
            case "try soon" -> readings.line("returned", report(this::soon));
            case "run" -> readings.line("returned", report(this::afterALine));
            case "open elsewhere and run" -> readings.line("returned", report(this::openedElsewhere));
            case "nested, before any use" -> readings.line("returned", report(() -> around(false, this::byAnotherUrl)));
            case "nested, after a use" -> readings.line("returned", report(() -> around(true, this::byAnotherUrl)));
            case "nested, through another driver" ->
                readings.line("returned", report(() -> around(true, this::throughAnotherDriver)));
            case "recursive" -> readings.line("returned", report(() -> recursive(3)));
            case "nested, two keys" -> readings.line("returned", report(this::first));
            case "open a pool" -> readings.line("returned", openingAPool());
            case "without a connection" -> readings.line("returned", report(this::withoutAConnection));
            default -> throw new IllegalArgumentException(what);
        }
    }

    /** One of another class loader, which stays as long as the application does. */
    private String throughAnotherDriver() throws Exception {
        URLClassLoader loader =
                new URLClassLoader(new URL[] {driver.toUri().toURL()}, ClassLoader.getPlatformClassLoader());
        Driver other = loader.loadClass("org.postgresql.Driver")
                .asSubclass(Driver.class)
                .getConstructor()
                .newInstance();
        Properties properties = new Properties();
        properties.setProperty("user", readings.user());
        properties.setProperty("password", readings.password());
        try (Connection connection = other.connect(readings.url(), properties)) {
            return value(connection, "select 'once' from pg_class limit 1");
        }
    }

    private String byAnotherUrl() throws Exception {
        try (Connection connection = readings.connect("&ApplicationName=batch")) {
            return value(connection, "select 'ran' from pg_class limit 1");
        }
    }

    /** The method opens the pool, by taking the first connection; another thread comes for one, too, when that has begun. */
    private String openingAPool() throws Exception {
        try (HikariDataSource pool = new HikariDataSource()) {
            pool.setJdbcUrl(readings.url());
            pool.setUsername(readings.user());
            pool.setPassword(readings.password());
            pool.setMaximumPoolSize(2);
            Thread first = Thread.currentThread();
            CompletableFuture<String> second = Readings.elsewhere(() -> {
                awaitAskingForItsLock(first);
                try (Connection connection = pool.getConnection()) {
                    readings.line("second", value(connection, "select 'served'"));
                }
                return "";
            });
            String returned = byPool(pool);
            second.get(20, TimeUnit.SECONDS);
            return returned;
        }
    }

    /** Wherever it does. */
    private static void awaitAskingForItsLock(Thread thread) {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (Arrays.stream(thread.getStackTrace())
                .noneMatch(frame -> frame.getClassName().equals("io.pglock.LockClient")
                        || frame.getClassName().equals("io.pglock.ClientLock"))) {
            if (System.nanoTime() > until) {
                throw new AssertionError("waited 20 s for the method to ask for its lock");
            }
        }
    }

    private static String report(Callable<String> method) throws Exception {
        try {
            return method.call();
        } catch (io.pglock.PgLockException e) {
            return e.getClass().getSimpleName() + ": " + e.getMessage();
        }
    }

    @WithAdvisoryLock("nightly")
    private String held() throws Exception {
        try (Connection connection = readings.connect()) {
            execute(connection, "select count(*) from pg_class");
        }
        readings.line("holds");
        return LINES.readLine();
    }

    @WithAdvisoryLock("nightly")
    private String withoutAConnection() throws Exception {
        readings.line("runs");
        return LINES.readLine();
    }

    @WithAdvisoryLock(value = "nightly", timeout = "0s", onTimeout = OnTimeout.SKIP, skipValue = "skipped")
    private String orSkipped() throws Exception {
        return ran();
    }

    /** What else would skip mean. */
    @WithAdvisoryLock(value = "nightly", onTimeout = OnTimeout.SKIP, skipValue = "skipped")
    private String orSkippedAtOnce() throws Exception {
        return ran();
    }

    @WithAdvisoryLock(value = "nightly", timeout = "300ms")
    private String soon() throws Exception {
        return ran();
    }

    @WithAdvisoryLock("nightly")
    private String byPool(HikariDataSource pool) throws Exception {
        try (Connection connection = pool.getConnection()) {
            return value(connection, "select 'ran' from pg_class limit 1");
        }
    }

    @WithAdvisoryLock("nightly")
    private String afterALine() throws Exception {
        readings.line("runs");
        LINES.readLine();
        return ran();
    }

    @WithAdvisoryLock("nightly")
    private String openedElsewhere() throws Exception {
        DriverManager.getConnection(elsewhere, readings.user(), readings.password())
                .close();
        ran();
        readings.line("holds");
        return LINES.readLine();
    }

    @WithAdvisoryLock(value = "nightly", timeout = "5s")
    private String around(boolean uses, Callable<String> inner) throws Exception {
        if (uses) {
            ran();
        }
        return inside(inner);
    }

    @WithAdvisoryLock(value = "nightly", timeout = "5s")
    private String inside(Callable<String> inner) throws Exception {
        return inner.call();
    }

    @WithAdvisoryLock(value = "nightly", timeout = "5s")
    private String recursive(int times) throws Exception {
        return times == 0 ? byAnotherUrl() : recursive(times - 1);
    }

    @WithAdvisoryLock("first")
    private String first() throws Exception {
        return second();
    }

    @WithAdvisoryLock("second")
    private String second() throws Exception {
        readings.line("runs");
        LINES.readLine();
        return ran();
    }

    private String ran() throws Exception {
        try (Connection connection = readings.connect()) {
            return value(connection, "select 'ran' from pg_class limit 1");
        }
    }
}
