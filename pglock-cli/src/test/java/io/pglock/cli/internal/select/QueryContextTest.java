// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class QueryContextTest {

    @Test
    void readsWhatDjangoPgactivityWritesInFront() {
        QueryContext context = QueryContext.of(
                "/*pga_context={\"url\": \"/orders\", \"user\": 7, \"more\": {\"a\": [1]}}*/\nselect 1");
        assertThat(context.values())
                .containsExactly(Map.entry("url", "/orders"), Map.entry("user", "7"), Map.entry("more", "{\"a\":[1]}"));
        assertThat(context.query()).isEqualTo("select 1");
    }

    @Test
    void readsWhatSqlcommenterWritesAtTheEnd() {
        QueryContext context = QueryContext.of(
                "select '/*' /*action='%2Fparam*d',controller='index,'framework='spring'*/".replace(",'f", "',f"));
        assertThat(context.values())
                .containsExactly(
                        Map.entry("action", "/param*d"),
                        Map.entry("controller", "index"),
                        Map.entry("framework", "spring"));
        assertThat(context.query()).isEqualTo("select '/*'");
        assertThat(QueryContext.of("select 1 /* a='it\\'s+b' , c='%' */;").values())
                .containsExactly(Map.entry("a", "it's+b"), Map.entry("c", "%"));
    }

    @Test
    void aLongCommentIsReadAsAShortOne() {
        String value = "a\\'b".repeat(50_000);
        assertThat(QueryContext.of("select 1 /*a='" + value + "'*/").values())
                .containsExactly(Map.entry("a", "a'b".repeat(50_000)));
        assertThat(QueryContext.of("select 1 /*" + "a='b',".repeat(35_000) + "c='d'*/")
                        .values())
                .containsExactly(Map.entry("a", "b"), Map.entry("c", "d"));
        String cutOff = "select 1 /*a='" + "x".repeat(200_000);
        assertThat(QueryContext.of(cutOff).query()).isEqualTo(cutOff);
        assertThat(QueryContext.of("/*pga_context={\"a\": \"" + "x".repeat(200_000) + "\"}*/ select 1")
                        .query())
                .isEqualTo("select 1");
    }

    @Test
    void leavesOtherCommentsAlone() {
        for (String query : new String[] {
            "select /* hint */ 1",
            "/*pga_context={broken*/ select 1",
            "/*pga_context={\"a\" 1}*/ select 1",
            "select 1 /* a=b */"
        }) {
            assertThat(QueryContext.of(query)).isEqualTo(new QueryContext(query, Map.of()));
        }
    }
}
