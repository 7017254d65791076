// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Properties;
import org.junit.jupiter.api.Test;
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

    /** As Cloud SQL's connector does: its URLs have no host. */
    @Test
    void whatASocketFactoryIsToldIsAServer() {
        String url = "jdbc:postgresql:///shop?socketFactory=F&";
        assertThat(database(url + "socketFactoryArg=a", "me"))
                .isEqualTo(database(url + "socketFactoryArg=a&ApplicationName=batch", "other"))
                .isEqualTo(database(url + "user=shop&password=hush&sslpassword=hush&socketFactoryArg=a", "me"))
                .doesNotContain("hush")
                .isNotEqualTo(database(url + "socketFactoryArg=b", "me"))
                .isNotEqualTo(database("jdbc:postgresql:///shop?socketFactory=G&socketFactoryArg=a", "me"))
                .isNotEqualTo(database("jdbc:postgresql:///shop", "me"));
        assertThat(database(url + "cloudSqlInstance=p:r:one", "me"))
                .isNotEqualTo(database(url + "cloudSqlInstance=p:r:two", "me"));
    }

    /** Pools have them beside the URL, which is the same for both then. */
    @Test
    void whatASocketFactoryIsToldBesideTheUrlTellsWaysToOpenAConnectionApart() {
        Properties one = new Properties();
        one.setProperty("socketFactory", "F");
        one.setProperty("cloudSqlInstance", "p:r:one");
        Properties renewed = (Properties) one.clone();
        renewed.setProperty("password", "hush");
        Properties two = (Properties) one.clone();
        two.setProperty("cloudSqlInstance", "p:r:two");
        String url = "jdbc:postgresql:///shop";

        assertThat(Means.key(url, one)).isEqualTo(Means.key(url, renewed)).isNotEqualTo(Means.key(url, two));
        assertThat(Means.database(url, one))
                .isEqualTo(Means.database(url, renewed))
                .isNotEqualTo(Means.database(url, two));
    }
}
