// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("versions")
@PostgresTest
class LsTest {

    @Test
    void listsWhoHoldsWhat(Database database, Scenario scenario) {
        Session holder = scenario.session("holder");
        holder.execute("create table orders (id int)");
        holder.begin();
        holder.execute("lock table orders in share mode");
        assertThat(Cli.on(database).run("ls").succeeded().out()).contains("pid " + holder.pid(), "SHARE on orders");
    }
}
