// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.value;

import java.lang.management.ManagementFactory;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.management.JMException;
import javax.management.ObjectName;

/** What is left of pglock in an application that has closed its pools: nothing, after a while. Stateless. */
final class Leftovers {

    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(20);

    /** Objects of one call, or of one connection. */
    private static final Pattern OF_A_CALL =
            Pattern.compile("io\\.pglock\\.agent\\.internal\\.(Scope|driver\\.(ScopePart|Session))(\\$\\w+)?");

    private Leftovers() {}

    /**
     * Four lines.
     *
     * @param application what the sessions of this JVM have as the beginning of their {@code application_name}
     * @param once a method that uses a connection of its own: with it goes what the ones before have left to the next
     */
    static void print(Readings readings, Connection observer, String application, Readings.Work once) throws Exception {
        readings.line("threads left", awaitNothing(Leftovers::threads));
        readings.line("sessions left", awaitNothing(() -> sessions(observer, application)));
        readings.line("advisory locks left", awaitNothing(() -> locks(observer)));
        readings.line("objects left", awaitNothing(() -> {
            once.run();
            return objects();
        }));
    }

    private interface Look {
        String left() throws Exception;
    }

    /** What there is to see in the end. */
    private static String awaitNothing(Look look) throws Exception {
        long until = System.nanoTime() + LONGEST_NANOS;
        String left = look.left();
        while (!left.isEmpty() && System.nanoTime() < until) {
            Thread.sleep(20);
            left = look.left();
        }
        return left.isEmpty() ? "none" : left;
    }

    private static String threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("pglock"))
                .sorted()
                .collect(Collectors.joining(", "));
    }

    private static String sessions(Connection observer, String application) throws SQLException {
        return text(
                observer,
                "select string_agg(pid || ' ' || application_name || ': ' || query, ', ') from pg_stat_activity"
                        + " where application_name like '" + application + "%'");
    }

    private static String locks(Connection observer) throws SQLException {
        return text(
                observer,
                "select string_agg(pid || ' ' || mode, ', ') from pg_locks where locktype = 'advisory'"
                        + " and database = (select oid from pg_database where datname = current_database())");
    }

    private static String text(Connection connection, String sql) throws SQLException {
        String value = value(connection, sql);
        return value == null ? "" : value;
    }

    /** After a collection, of which this histogram brings its own. */
    private static String objects() throws JMException {
        String histogram = (String) ManagementFactory.getPlatformMBeanServer()
                .invoke(
                        new ObjectName("com.sun.management:type=DiagnosticCommand"),
                        "gcClassHistogram",
                        new Object[] {new String[0]},
                        new String[] {String[].class.getName()});
        return histogram
                .lines()
                .map(line -> List.of(line.trim().split("\\s+")))
                .filter(columns ->
                        columns.size() > 3 && OF_A_CALL.matcher(columns.get(3)).matches())
                .map(columns -> columns.get(1) + " " + columns.get(3))
                .collect(Collectors.joining(", "));
    }
}
