// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@PostgresTest
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

    /** As a database in EUC_JP, EUC_KR, EUC_CN or EUC_TW shows them; whichever PostgreSQL this test runs on. */
    @Test
    void areKnownInTheDatabasesOfEastAsia() {
        assertThat(ServerNames.spellings(Set.of("夜間")))
                .contains("\\xcc\\xeb\\xb4\\xd6", "\\xcc\\xdf\\xe2\\xe6", "????");
        assertThat(ServerNames.spellings(Set.of("야간"))).contains("\\xbe\\xdf\\xb0\\xa3", "????");
        assertThat(ServerNames.spellings(Set.of("夜间"))).contains("\\xd2\\xb9\\xbc\\xe4", "????");
        assertThat(ServerNames.spellings(Set.of("夜".repeat(40)))).contains("?".repeat(62), "夜".repeat(31));
    }

    @ParameterizedTest
    @CsvSource({
        "EUC_JP, 夜間バックアップ",
        "EUC_JP, 夜間バックアップと月次締め処理のためのサーバー間データ連携ジョブ実行管理",
        "EUC_JP, a 夜間バックアップと月次締め処理のためのサーバー間データ連携ジョブ実行管理",
        "EUC_JIS_2004, 夜間バックアップ",
        "EUC_KR, 야간 백업",
        "EUC_CN, 夜间备份",
        "EUC_TW, 夜間備份",
        "WIN1251, Задача",
        "WIN1251, Еженедельная сверка остатков на складах и в магазинах всех городов",
        "WIN1251, Ежеквартальныйотчётоскладскихостаткахимагазинах",
        "LATIN1, Lohnbüro",
        "UTF8, 夜間バックアップと月次締め処理のためのサーバー間データ連携ジョブ実行管理"
    })
    void areKnownAsADatabaseShowsThem(String encoding, String name, Database database) throws SQLException {
        try (Database other = database.server().createDatabaseIn(encoding);
                Connection connection = other.connect(name)) {
            Set<String> spellings = ServerNames.spellings(Set.of(name));
            assertThat(spellings)
                    .contains(value(connection, APPLICATION))
                    .as("a role's")
                    .contains(value(connection, "select '" + name + "'::name"));
            Properties atOnce = new Properties();
            atOnce.setProperty("user", other.user());
            atOnce.setProperty("password", other.password());
            atOnce.setProperty("ApplicationName", name);
            atOnce.setProperty("assumeMinServerVersion", "9.0"); // then it is sent with the connection
            try (Connection another = DriverManager.getConnection(other.url(), atOnce)) {
                assertThat(spellings).contains(value(another, APPLICATION));
            }
        }
    }

    private static final String APPLICATION =
            "select application_name from pg_stat_activity where pid = pg_backend_pid()";

    private static String value(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getString(1);
        }
    }
}
