// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class EndpointTest {
    @Test
    void takesAUrlApart() {
        Endpoint endpoint = Endpoint.parse(
                "jdbc:postgresql://db.example:6000/app?user=me&ssl=true&password=secret&connectTimeout=3");

        assertThat(endpoint)
                .isEqualTo(new Endpoint("db.example", 6000, "?ssl=true&connectTimeout=3", "me", "secret", "app"));
        assertThat(endpoint.url("other"))
                .isEqualTo("jdbc:postgresql://db.example:6000/other?ssl=true&connectTimeout=3");
    }

    @Test
    void knowsTheDefaults() {
        Endpoint endpoint = Endpoint.parse("jdbc:postgresql://localhost/app?user=me");

        assertThat(endpoint)
                .isEqualTo(new Endpoint(
                        "localhost", 5432, "", "me", System.getProperty("pglock.test.password", ""), "app"));
    }

    @Test
    void refusesWhatIsNoUrlOfPostgresql() {
        assertThatThrownBy(() -> Endpoint.parse("jdbc:mysql://localhost/app"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("pglock.test.url: expected jdbc:postgresql://host:port/database?user=...&password=...");
    }
}
