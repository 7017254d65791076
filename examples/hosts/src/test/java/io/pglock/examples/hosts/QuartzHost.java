// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.quartz.Job;
import org.quartz.JobBuilder;
import org.quartz.JobExecutionContext;
import org.quartz.JobExecutionException;
import org.quartz.Scheduler;
import org.quartz.SimpleScheduleBuilder;
import org.quartz.TriggerBuilder;
import org.quartz.impl.StdSchedulerFactory;

/** A program with a job of Quartz's, whose scheduler knows of no other one: it keeps its triggers in memory. */
final class QuartzHost {

    private QuartzHost() {}

    public static void main(String[] urlUserPassword) throws Exception {
        Properties quartz = new Properties();
        quartz.setProperty("org.quartz.threadPool.threadCount", "3");
        Scheduler scheduler = new StdSchedulerFactory(quartz).getScheduler();
        scheduler.getContext().put("database", urlUserPassword);
        scheduler.scheduleJob(
                JobBuilder.newJob(Report.class).build(),
                TriggerBuilder.newTrigger()
                        .withSchedule(SimpleScheduleBuilder.repeatSecondlyForever())
                        .build());
        scheduler.start();
    }

    /** As Quartz wants it: public, with a constructor without parameters. */
    public static final class Report implements Job {

        @Override
        public void execute(JobExecutionContext context) throws JobExecutionException {
            try {
                String[] database =
                        (String[]) context.getScheduler().getContext().get("database");
                try (Connection connection = DriverManager.getConnection(database[0], database[1], database[2]);
                        Statement statement = connection.createStatement()) {
                    statement.execute("insert into report default values");
                    System.out.println("reported");
                }
            } catch (SQLException | org.quartz.SchedulerException e) {
                throw new JobExecutionException(e);
            }
        }
    }
}
