// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** A JSON object as texts by key. The parser is loaded when there is one, and not before. Stateless. */
final class JsonObject {

    private static final JsonFactory JSON = new JsonFactory();

    private JsonObject() {}

    /** @return false when it is not JSON; nothing was added then */
    static boolean read(String text, Map<String, String> values) {
        Map<String, String> read = new LinkedHashMap<>();
        try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), text)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                String key = parser.currentName();
                parser.nextToken();
                read.put(key, value(parser));
            }
        } catch (JacksonException e) {
            return false;
        }
        values.putAll(read);
        return true;
    }

    private static String value(JsonParser parser) {
        if (!parser.currentToken().isStructStart()) {
            return parser.getString();
        }
        StringWriter nested = new StringWriter();
        try (JsonGenerator generator = JSON.createGenerator(ObjectWriteContext.empty(), nested)) {
            generator.copyCurrentStructure(parser);
        }
        return nested.toString();
    }
}
