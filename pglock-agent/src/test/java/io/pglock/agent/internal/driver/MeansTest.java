// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Properties;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MeansTest {

    private static String database(String url, String user) {
        Properties properties = new Properties();
        properties.setProperty("user", user);
        return Means.database(url, properties);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:postgresql://db/shop",
                "jdbc:postgresql://DB:5432/shop",
                "jdbc:postgresql://db/shop?ApplicationName=batch&user=other&password=hush",
                "jdbc:postgresql://db/",
            })
    void itsDatabaseIsTheSameWhateverElseTheUrlSays(String url) {
        assertThat(database(url, "shop"))
                .isEqualTo(database("jdbc:postgresql://db:5432/shop", "me"))
                .doesNotContain("hush");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:postgresql://db/other",
                "jdbc:postgresql://db:5433/shop",
                "jdbc:postgresql://standby/shop",
                "jdbc:postgresql://db,standby/shop",
                "jdbc:postgresql:shop",
                "jdbc:postgresql://db/",
            })
    void anotherServerOrNameIsAnotherDatabase(String url) {
        assertThat(database(url, "me")).isNotEqualTo(database("jdbc:postgresql://db/shop", "me"));
    }
}
