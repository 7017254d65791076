// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class DemoTest {

    @Test
    void hangsWithoutPglockAndGetsThroughWithIt() throws Exception {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        Screen screen = Screen.on(new PrintStream(printed, true, StandardCharsets.UTF_8));
        boolean asTold;
        try (Database database = PostgresServer.shared().createDatabase()) {
            asTold = new Demo(screen, database).play(PostgresServer.shared().majorVersion());
        }

        String text = printed.toString(StandardCharsets.UTF_8);
        assertThat(asTold).as(text).isTrue();
        assertThat(text)
                .contains("support-tool", "reader-5", "queued behind", "Not migrated", "Migrated after")
                .doesNotContain("\u001b");
    }
}
