// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.execute;

import com.zaxxer.hikari.HikariDataSource;
import io.pglock.LockPolicy;
import io.pglock.annotation.WithLockTimeout;
import io.pglock.annotation.WithPriority;
import java.sql.Connection;
import java.sql.SQLException;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** An application whose guarded methods are called in transactions that Spring has begun for others. */
final class InSpring {

    private static final String ALTER = "alter table orders add column if not exists x int";

    private final Readings readings;
    private final HikariDataSource pool = new HikariDataSource();
    private final Connection observer;
    private final Caller caller;
    private final Guarded guarded;

    private InSpring(Readings readings) throws SQLException {
        this.readings = readings;
        pool.setJdbcUrl(readings.url("&ApplicationName=pool"));
        pool.setUsername(readings.user());
        pool.setPassword(readings.password());
        pool.setMaximumPoolSize(4);
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
        readings.reading("the caller's has sent nothing", all::theCallersHasSentNothing);
        readings.reading("one of its own", all::oneOfItsOwn);
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
}
