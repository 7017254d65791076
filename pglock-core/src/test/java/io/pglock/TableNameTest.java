// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TableNameTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "orders                  | \"orders\"               | orders",
                "Orders                  | \"orders\"               | orders",
                "Billing.INVOICES_2024$  | \"billing\".\"invoices_2024$\" | billing.\"invoices_2024$\"",
                "_x                      | \"_x\"                   | _x",
                "größe                   | \"größe\"                | \"größe\"",
                "ÄÖ                      | \"ÄÖ\"                   | \"ÄÖ\"",
                "\"Orders\"              | \"Orders\"               | \"Orders\"",
                "\"My Schema\".\"a.b\"   | \"My Schema\".\"a.b\"    | \"My Schema\".\"a.b\"",
                "\"say \"\"hi\"\"\"      | \"say \"\"hi\"\"\"       | \"say \"\"hi\"\"\"",
                "public.\"Orders\"       | \"public\".\"Orders\"    | public.\"Orders\"",
                "order                   | \"order\"                | order",
            })
    void readsNamesAsPostgresDoes(String text, String sql, String shown) {
        TableName name = TableName.parse(text);

        assertThat(name.sql()).isEqualTo(sql);
        assertThat(name).hasToString(shown);
        assertThat(TableName.parse(name.sql())).isEqualTo(name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                ".",
                "a.",
                ".a",
                "a.b.c",
                "a b",
                " a",
                "1a",
                "$a",
                "a-b",
                "\"",
                "\"a",
                "a\"",
                "\"\"",
                "a\"b\"",
                "\"a\"b",
                "a;drop table b",
                "a, b",
                "\"a\0b\"",
                "only a",
                "a'"
            })
    void refusesWhatIsNotAName(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TableName.parse(text))
                .withMessageContaining("double quotes");
    }

    @Test
    void takesExactNamesAsTheyAre() {
        assertThat(TableName.of("My \"Table\"").sql()).isEqualTo("\"My \"\"Table\"\"\"");
        assertThat(TableName.of("Billing", "a.b").sql()).isEqualTo("\"Billing\".\"a.b\"");
        assertThat(TableName.of("orders")).isEqualTo(TableName.parse("ORDERS"));
    }

    @Test
    void foldsAsciiOnlyWhateverTheLocale() {
        assertThat(TableName.parse("ITEMS").name()).isEqualTo("items");
        assertThat(TableName.parse("\u0130tems").name()).isEqualTo("\u0130tems");
    }

    @Test
    void refusesNamesThatPostgresCannotHold() {
        assertThatIllegalArgumentException().isThrownBy(() -> TableName.of(""));
        assertThatIllegalArgumentException().isThrownBy(() -> TableName.of("", "a"));
        assertThatIllegalArgumentException().isThrownBy(() -> TableName.of("a\0b"));
    }
}
