// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.elsewhere;
import static io.pglock.agent.Readings.execute;
import static io.pglock.agent.Readings.value;

import com.zaxxer.hikari.HikariDataSource;
import io.pglock.LockPolicy;
import io.pglock.LockTimeoutException;
import io.pglock.annotation.OnTimeout;
import io.pglock.annotation.WithAdvisoryLock;
import io.pglock.annotation.WithLockTimeout;
import io.pglock.annotation.WithPriority;
import io.pglock.annotation.WithTableLock;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/** An application whose guarded methods are called in transactions that Spring has begun for others. */
final class InSpring {

    private static final String ALTER = "alter table orders add column if not exists x int";

    private static final String HELD = "select count(*) from pg_locks where locktype = 'advisory' and granted"
            + " and database = (select oid from pg_database where datname = current_database())";

    private final Readings readings;
    private final HikariDataSource pool = new HikariDataSource();
    private final JdbcTemplate jdbc;
    private final Connection observer;
    private final Caller caller;
    private final Guarded guarded;

    private InSpring(Readings readings) throws SQLException {
        this.readings = readings;
        pool.setJdbcUrl(readings.url("&ApplicationName=pool"));
        pool.setUsername(readings.user());
        pool.setPassword(readings.password());
        pool.setMaximumPoolSize(4);
        jdbc = new JdbcTemplate(pool);
        observer = readings.connect();
        AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
        context.registerBean(PlatformTransactionManager.class, () -> new DataSourceTransactionManager(pool));
        context.register(Transactions.class, Caller.class, Guarded.class);
        context.refresh();
        caller = context.getBean(Caller.class);
        guarded = context.getBean(Guarded.class);
    }

    /** Are as the annotations say. */
    @Configuration(proxyBeanMethods = false)
    @EnableTransactionManagement
    static class Transactions {}

    public static void main(String... arguments) throws Exception {
        Readings readings = Readings.of(arguments);
        InSpring all = new InSpring(readings);
        execute(all.observer, "create table if not exists orders (id int)");
        execute(all.observer, "create table if not exists noted (id int)");
        readings.reading("the caller's has sent nothing", all::theCallersHasSentNothing);
        readings.reading("one of its own", all::oneOfItsOwn);
        readings.reading("until the commit", all::untilTheCommit);
        readings.reading("skipped", all::skipped);
        all.pool.close();
        readings.line("armed", Readings.armed());
    }

    /** Not guarded. */
    public static class Caller {

        @Transactional(rollbackFor = Exception.class)
        public void place(Readings.Work work) throws Exception {
            work.run();
        }
    }

    /** In the caller's transaction, unless they say that they have one of their own. */
    public static class Guarded {

        @Transactional(rollbackFor = Exception.class)
        @WithLockTimeout(value = "1s", settings = "retryDeadline=20s retryDelay=50ms")
        @WithPriority(value = LockPolicy.Priority.REPORT, settings = "maxBlockedTime=50ms pollInterval=20ms")
        public void considerate(Readings.Work work) throws Exception {
            work.run();
        }

        /** Spring knows nothing of it. */
        @WithLockTimeout(value = "1s", settings = "retryDeadline=20s retryDelay=50ms")
        @WithPriority(value = LockPolicy.Priority.REPORT, settings = "maxBlockedTime=50ms pollInterval=20ms")
        public void considerateHere(Readings.Work work) throws Exception {
            work.run();
        }

        @Transactional(propagation = Propagation.REQUIRES_NEW, rollbackFor = Exception.class)
        @WithLockTimeout(value = "1s", settings = "retryDeadline=20s retryDelay=50ms")
        @WithPriority(value = LockPolicy.Priority.REPORT, settings = "maxBlockedTime=50ms pollInterval=20ms")
        public void considerateAlone(Readings.Work work) throws Exception {
            work.run();
        }

        @Transactional
        @WithAdvisoryLock(value = "stock", timeout = "200ms")
        public void reserve(Readings.Work work) throws Exception {
            work.run();
        }

        /** Spring knows nothing of it. */
        @WithAdvisoryLock("stock")
        public void reserveHere(Readings.Work work) throws Exception {
            work.run();
        }

        /** Its lock is at a {@code monitorUrl}. */
        @Transactional
        public void reserveByAnotherUrl(Readings.Work work) throws Exception {
            work.run();
        }

        @Transactional(propagation = Propagation.REQUIRES_NEW)
        @WithAdvisoryLock("stock")
        public void reserveAlone(Readings.Work work) throws Exception {
            work.run();
        }

        @Transactional
        @WithTableLock(value = "orders", timeout = "nowait", onTimeout = OnTimeout.SKIP, skipValue = "skipped")
        public String refresh(JdbcTemplate jdbc) {
            return "ran, " + jdbc.queryForObject("select count(*) from orders", String.class);
        }

        @Transactional(propagation = Propagation.REQUIRES_NEW)
        @WithTableLock(value = "orders", timeout = "nowait", onTimeout = OnTimeout.SKIP, skipValue = "skipped")
        public String refreshAlone(JdbcTemplate jdbc) {
            return "ran, " + jdbc.queryForObject("select count(*) from orders", String.class);
        }
    }

    // ---- giving way -------------------------------------------------------------------------------------------------

    @FunctionalInterface
    private interface Call {
        void run(Readings.Work work) throws Exception;
    }

    /** Nobody would come back. */
    private void theCallersHasSentNothing() throws Exception {
        readings.line("the caller's has sent nothing", attempts(guarded::considerate));
        readings.line("the caller's has sent nothing, a method of nobody's", attempts(guarded::considerateHere));
    }

    private void oneOfItsOwn() throws Exception {
        readings.line("one of its own", attempts(guarded::considerateAlone).replaceFirst("[2-9]$", "several"));
    }

    private String attempts(Call call) throws Exception {
        int[] attempts = {0};
        String state = Retries.withSomebodyBehind(
                readings,
                () -> caller.place(() -> call.run(() -> {
                    attempts[0]++;
                    execute(DataSourceUtils.getConnection(pool), ALTER);
                })));
        return state + " " + attempts[0];
    }

    // ---- its advisory lock ------------------------------------------------------------------------------------------

    private void note() {
        jdbc.update("insert into noted values (1)");
    }

    private String held() throws SQLException {
        return value(observer, HELD);
    }

    private void untilTheCommit() throws Exception {
        List<String> read = new ArrayList<>();
        caller.place(() -> {
            guarded.reserve(this::note);
            read.add(held());
            read.add(elsewhere(this::tried).get(20, TimeUnit.SECONDS));
            guarded.reserve(this::note);
            read.add(held());
            guarded.reserveAlone(this::note);
            read.add(held());
        });
        readings.line("until the commit", read, held(), tried());
        read.clear();
        try {
            caller.place(() -> {
                guarded.reserve(this::note);
                read.add(held());
                throw new IllegalStateException("the caller's");
            });
        } catch (IllegalStateException e) {
            readings.line("until the rollback", read, held(), e.getMessage());
        }
        read.clear();
        caller.place(() -> {
            guarded.reserveHere(this::note);
            read.add(held());
            caller.place(() -> read.add(held()));
        });
        readings.line("until the commit, a method of nobody's", read, held());
        caller.place(() -> {
            guarded.reserve(this::note);
            guarded.reserveByAnotherUrl(this::note);
            readings.line("until the commit, by another URL", held());
        });
        caller.place(() -> {
            note();
            guarded.reserveAlone(this::note);
            readings.line("until the commit of its own", held());
        });
        caller.place(() -> {
            guarded.reserve(this::note);
            List<TransactionSynchronization> told = TransactionSynchronizationManager.getSynchronizations();
            elsewhere(() -> {
                        told.forEach(each -> each.afterCompletion(TransactionSynchronization.STATUS_UNKNOWN));
                        return "";
                    })
                    .get(20, TimeUnit.SECONDS);
            readings.line("until an end on another thread", held());
            guarded.reserve(this::note);
        });
        readings.line("after that", held());
    }

    private String tried() throws Exception {
        try {
            guarded.reserve(this::note);
            return "free";
        } catch (LockTimeoutException e) {
            return "taken";
        }
    }

    // ---- skipped ----------------------------------------------------------------------------------------------------

    private void skipped() throws Exception {
        try (Connection other = readings.connect()) {
            other.setAutoCommit(false);
            execute(other, "lock table orders in access share mode");
            jdbc.update("delete from noted");
            List<String> read = new ArrayList<>();
            caller.place(() -> {
                note();
                read.add(guarded.refresh(jdbc));
                read.add(guarded.refreshAlone(jdbc));
                note();
            });
            readings.line("skipped", read, value(observer, "select count(*) from noted"), guarded.refresh(jdbc));
            other.rollback();
            caller.place(() -> readings.line("not skipped", guarded.refresh(jdbc)));
        }
    }
}
