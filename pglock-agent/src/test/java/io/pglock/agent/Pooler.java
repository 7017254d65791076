// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.execute;
import static io.pglock.agent.Readings.value;

import io.pglock.LockPolicy;
import io.pglock.annotation.WithAdvisoryLock;
import io.pglock.annotation.WithLockTimeout;
import io.pglock.annotation.WithPriority;
import java.sql.Connection;

/** An application behind a pooler that gives a server to each transaction, and has one. */
final class Pooler {

    private static final String SETTING = "select current_setting('lock_timeout')";

    private final Readings readings;

    private Pooler(Readings readings) {
        this.readings = readings;
    }

    public static void main(String... arguments) throws Exception {
        Readings readings = Readings.of(arguments);
        Pooler all = new Pooler(readings);
        readings.reading("transaction", all::transaction);
        readings.reading("autocommit", all::autocommit);
        readings.reading("autocommit", all::autocommit);
        readings.reading("prior", all::prior);
        readings.reading("locked", all::lock);
        readings.line("armed", Readings.armed());
    }

    @WithLockTimeout("1111ms")
    private static void within(Readings.Work work) throws Exception {
        work.run();
    }

    @WithLockTimeout("1111ms")
    @WithPriority(LockPolicy.Priority.TERMINATE)
    private static void watched(Readings.Work work) throws Exception {
        work.run();
    }

    @WithAdvisoryLock("nightly")
    private static void locked(Readings.Work work) throws Exception {
        work.run();
    }

    private Connection connect() throws Exception {
        return readings.connect("&prepareThreshold=0");
    }

    private void transaction() throws Exception {
        try (Connection one = connect();
                Connection other = connect()) {
            one.setAutoCommit(false);
            within(() -> {
                readings.line("transaction", value(one, SETTING));
                one.commit();
            });
            readings.line("transaction, for another client", value(other, SETTING));
            within(() -> readings.line("transaction, ended outside", value(one, SETTING)));
            one.commit();
            readings.line("transaction, for another client", value(other, SETTING));
        }
    }

    private void autocommit() throws Exception {
        try (Connection one = connect();
                Connection other = connect()) {
            within(() -> readings.line("autocommit", value(one, SETTING)));
            readings.line("autocommit, for another client", value(other, SETTING));
        }
    }

    private void prior() throws Exception {
        try (Connection one = connect()) {
            one.setAutoCommit(false);
            watched(() -> {
                readings.line("prior", value(one, SETTING));
                execute(one, "select count(*) from pg_class");
                one.commit();
            });
        }
    }

    private void lock() throws Exception {
        try {
            locked(() -> readings.line("locked", "runs"));
        } catch (io.pglock.PgLockException e) {
            readings.line("locked", e.getClass().getSimpleName(), e.getMessage());
        }
    }
}
