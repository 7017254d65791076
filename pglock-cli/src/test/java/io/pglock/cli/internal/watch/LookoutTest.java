// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.watch;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.Backend;
import io.pglock.LockQuery;
import io.pglock.Signal;
import io.pglock.cli.internal.select.Selection;
import io.pglock.cli.internal.select.SelectionOptions;
import io.pglock.cli.internal.signal.Targets;
import io.pglock.cli.internal.view.RowKeys;
import io.pglock.cli.internal.view.TargetNames;
import io.pglock.testkit.QueueScene;
import io.pglock.testkit.Scenario;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LookoutTest extends QueueScene {

    LookoutTest(Scenario scenario) {
        super(scenario);
    }

    /** A class that is not there any more, because the jar was replaced; an executor keeps such a thing to itself. */
    @Test
    void anErrorEndsItAndNothingIsSentAfterIt(Connection connection) {
        holder.execute("insert into orders values (1)", "begin", "update orders set id = 2");
        web.start("update orders set id = 3");
        scenario.awaitBlockedBy(web, holder);
        Backend seen = LockQuery.on(connection).pid(holder.pid()).list().get(0).backend();
        Sending sending = new Sending(Targets.of(Signal.TERMINATE, seen));
        Selection all = new SelectionOptions().selection();

        try (Lookout lookout = new Lookout(broken(connection), all, new TargetNames(all.keyNames(), new RowKeys()))) {
            lookout.every(Duration.ofMillis(100));
            scenario.await("the failure", () -> lookout.failure().isPresent());
            assertThat(lookout.failure()).containsInstanceOf(NoClassDefFoundError.class);

            lookout.signal(sending);
            scenario.await("the outcome", () -> sending.outcome().isPresent());
        }

        assertThat(sending.outcome())
                .hasValueSatisfying(outcome ->
                        assertThat(outcome).startsWith("Nothing was sent to pid " + holder.pid() + " (holder"));
        assertThat(holder.value("select 1")).isEqualTo("1");
    }

    /** Whoever stops the picture looks at somebody, and must not find somebody else in its place. */
    @Test
    void whatIsPausedStaysButForTheDetails(Connection connection) {
        holder.execute("begin", "select * from orders");
        migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);
        Selection all = new SelectionOptions().selection();

        try (Lookout lookout = new Lookout(connection, all, new TargetNames(all.keyNames(), new RowKeys()))) {
            lookout.every(Duration.ofMillis(50));
            scenario.await(
                    "a look",
                    () -> lookout.latest().filter(seen -> seen.waiting() == 1).isPresent());
            lookout.pause(true);
            holder.commit();
            scenario.await(
                    "the migration's end",
                    () -> scenario.pidsBlocking(migration).isEmpty());
            web.execute("begin", "select * from items");
            Sight paused = lookout.latest().orElseThrow();

            lookout.detailsOf(Optional.of(web.pid()));

            scenario.await(
                    "the details", () -> !lookout.latest().orElseThrow().locks().isEmpty());
            assertThat(lookout.latest())
                    .hasValueSatisfying(seen -> assertThat(seen)
                            .extracting(Sight::tree, Sight::at)
                            .containsExactly(paused.tree(), paused.at()));
            lookout.pause(false);
            scenario.await("another look", () -> lookout.latest().orElseThrow().waiting() == 0);
        }
    }

    @Test
    void whatWasGivenUpIsNotSent(Connection connection) {
        holder.execute("begin", "select * from orders");
        Backend seen = LockQuery.on(connection).pid(holder.pid()).list().get(0).backend();
        Sending sending = new Sending(Targets.of(Signal.TERMINATE, seen));

        sending.giveUp();
        sending.send(connection, new SelectionOptions().selection());

        assertThat(sending.outcome())
                .hasValueSatisfying(
                        outcome -> assertThat(outcome).startsWith("Nothing was sent to pid " + holder.pid()));
        assertThat(holder.value("select 1")).isEqualTo("1");
    }

    /** It can be asked for locks, and for no row. */
    private static Connection broken(Connection connection) {
        return (Connection) Proxy.newProxyInstance(
                LookoutTest.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("prepareStatement")) {
                        throw new NoClassDefFoundError("io/pglock/Gone");
                    }
                    try {
                        return method.invoke(connection, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
