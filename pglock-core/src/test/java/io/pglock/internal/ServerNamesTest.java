// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.Test;

class ServerNamesTest {

    /** As a database in WIN1251, KOI8R, LATIN2 or UTF-8 shows them, from PostgreSQL 16 on and before. */
    @Test
    void areKnownInEveryDatabaseThatHasAByteForEachCharacter() {
        assertThat(ServerNames.spellings(Set.of("Задача")))
                .contains("Задача", "\\xc7\\xe0\\xe4\\xe0\\xf7\\xe0", "\\xfa\\xc1\\xc4\\xc1\\xde\\xc1", "??????")
                .contains("\\xd0\\x97\\xd0\\xb0\\xd0\\xb4\\xd0\\xb0\\xd1\\x87\\xd0\\xb0", "????????????");
        assertThat(ServerNames.spellings(Set.of("Žluť"))).contains("\\xaelu\\xbb", "?lu?");
        assertThat(ServerNames.spellings(Set.of("pg_dump"))).containsExactly("pg_dump");
    }
}
