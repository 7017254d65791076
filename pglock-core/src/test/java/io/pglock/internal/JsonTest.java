// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

class JsonTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "plain",
                "\"quoted\" and \\ back",
                "line\nbreak\r\n\ttab",
                "\u0000\u0001\u001f\u007f\b\f",
                "grün 数据库 \uD83D\uDC18",
                "\u2028\u2029</script>",
                "insert into t values ('{\"a\": [1, null]}')",
            })
    void anyTextComesBackAsItWasOnOneLine(String text) {
        String json = Json.of(Map.of(text, List.of(text)));
        assertThat(json).doesNotContain("\n", "\r");
        assertThat(JsonMapper.shared().readTree(json).get(text).get(0).asString())
                .isEqualTo(text);
    }

    @Test
    void valuesOfEveryKindAreWritten() {
        Map<String, Object> value = new LinkedHashMap<>();
        value.put("number", 4711L);
        value.put("truth", true);
        value.put("nothing", Optional.empty());
        value.put("something", Optional.of(1));
        value.put("list", List.of(Map.of(), List.of(), "a"));
        value.put("instant", Instant.EPOCH);
        assertThat(Json.of(value))
                .isEqualTo("{\"number\":4711,\"truth\":true,\"nothing\":null,\"something\":1,\"list\":[{},[],\"a\"],"
                        + "\"instant\":\"1970-01-01T00:00:00Z\"}");
    }
}
