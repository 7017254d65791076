// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import org.junit.jupiter.api.Test;

/** {@code ls --cancel} and {@code ls --terminate}, as django-pglock's command has them. */
@PostgresTest
class LsSignalTest {

    @Test
    void terminatesWhoIsInTheWayAndNobodyElse(Database database, Scenario scenario) {
        Session blocker = scenario.session("blocker");
        blocker.execute("create table orders (id int)");
        blocker.begin();
        blocker.execute("select * from orders");
        Session bystander = scenario.session("bystander");
        bystander.begin();
        bystander.execute("create table others (id int)");
        Session migration = scenario.session("migration");
        Running alter = migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, blocker);

        Cli.Ended shown = Cli.on(database).run("--on", "orders", "--blocking", "--terminate", "--dry-run");
        assertThat(shown.code()).isZero();
        assertThat(shown.out())
                .contains(Integer.toString(blocker.pid()))
                .doesNotContain(Integer.toString(bystander.pid()));
        assertThat(scenario.pidsBlocking(migration)).containsExactly(blocker.pid());

        Cli.Ended refused = Cli.on(database).input("n\n").run("--on", "orders", "--blocking", "--terminate");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(scenario.pidsBlocking(migration)).containsExactly(blocker.pid());

        Cli.Ended done = Cli.on(database).run("--on", "orders", "--blocking", "--terminate", "-y");
        assertThat(done.code()).as(done.err()).isZero();
        alter.result();
        scenario.awaitGone(blocker.pid());
        assertThat(bystander.value("select 'still here'")).isEqualTo("still here");
        bystander.rollback();
        blocker.kill();
    }

    @Test
    void cancelsAStatementAfterYes(Database database, Scenario scenario) {
        Session holder = scenario.session("holder");
        holder.execute("create table customers (id int)");
        holder.begin();
        holder.execute("lock table customers");
        Session waiter = scenario.session("waiter");
        Running select = waiter.start("select * from customers");
        scenario.awaitBlocked(waiter);

        Cli.Ended done = Cli.on(database).input("y\n").run("--cancel", Integer.toString(waiter.pid()));
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out()).contains(Integer.toString(waiter.pid()), "waiter");
        assertThat(select.awaitFailure().getSQLState()).isEqualTo("57014");
        holder.rollback();
    }

    /** Its transaction of now cannot be told from that of then. */
    @Test
    void whoDoesNotSayInWhichTransactionItIsMustBeNamed(Database database, Scenario scenario) {
        Session batch = scenario.session("batch");
        batch.execute("create table parcels (id int)", "set track_activities = off", "begin", "lock table parcels");

        Cli.Ended found = Cli.on(database).run("--on", "parcels", "--terminate", "-y");
        assertThat(found.code()).isEqualTo(1);
        assertThat(found.err())
                .contains("left alone, its track_activities is off", "to end it all the same, name its pid");
        assertThat(batch.value("select 1")).isEqualTo("1");

        assertThat(Cli.on(database)
                        .run("--on", "parcels", "--terminate", "-y", Integer.toString(batch.pid()))
                        .succeeded()
                        .out())
                .contains("Terminated pid " + batch.pid());
        scenario.awaitGone(batch.pid());
        batch.kill();
    }

    @Test
    void refusesWhatWouldHitEverybodyOrMakesNoSense(Database database) {
        assertThat(Cli.on(database).run("--terminate", "-y"))
                .satisfies(ended -> assertThat(ended.code()).isEqualTo(1))
                .satisfies(ended -> assertThat(ended.err()).contains("every session"));
        assertThat(Cli.bare().run("--terminate", "--cancel", "4711").err()).contains("exclude each other");
        assertThat(Cli.bare().run("--terminate", "--watch", "2s", "4711").code())
                .isEqualTo(1);
    }
}
