// SPDX-License-Identifier: Apache-2.0
/**
 * PostgreSQL for tests: a real server, a fresh database per test class, named sessions that block each other on purpose,
 * and a check after every test that nothing was left behind.
 *
 * {@snippet :
 * @PostgresTest
 * class OrdersTest {
 *     @Test
 *     void aReaderWaitsForTheMigration(Scenario scenario) {
 *         var web = scenario.session("web");
 *         var migration = scenario.session("migration");
 *         migration.execute("create table orders (id int)");
 *         migration.begin();
 *         migration.execute("lock table orders");
 *
 *         var reading = web.start("select count(*) from orders");
 *         scenario.awaitBlockedBy(web, migration);
 *         migration.commit();
 *
 *         assertThat(reading.result()).containsExactly("0");
 *     }
 * }
 * }
 *
 * <p>And what goes wrong around a database:
 *
 * <ul>
 *   <li>{@link io.pglock.testkit.PostgresServer} crashes, stops, restarts, gets a standby and promotes it
 *   <li>{@link io.pglock.testkit.TcpProxy} is a network that is slow, dead or reset, a server that is gone, an address that
 *       moves to another server
 *   <li>{@link io.pglock.testkit.PgBouncer} pools the sessions
 *   <li>{@link io.pglock.testkit.ForkedJvm} is another process that holds a lock, and is killed or stopped
 * </ul>
 */
@NullMarked
package io.pglock.testkit;

import org.jspecify.annotations.NullMarked;
