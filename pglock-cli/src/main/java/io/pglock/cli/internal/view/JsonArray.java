// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import io.pglock.cli.internal.select.Attribute;
import io.pglock.cli.internal.select.Row;
import io.pglock.cli.internal.select.Values;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * One JSON array: an object for each row, with the attributes' names as keys. Durations are seconds, instants ISO-8601 in UTC, what
 * is not known or not there is null.
 */
final class JsonArray implements View {

    private static final JsonFactory JSON =
            JsonFactory.builder().characterEscapes(new ControlsEscaped()).build();

    private final List<Attribute> attributes;
    private final boolean oneLine;

    /** @param oneLine for a program that reads one line after the other */
    JsonArray(List<Attribute> attributes, boolean oneLine) {
        this.attributes = attributes;
        this.oneLine = oneLine;
    }

    @Override
    public List<String> lines(List<Row> rows, boolean again) {
        List<String> objects = rows.stream().map(this::object).toList();
        if (oneLine || objects.isEmpty()) {
            return List.of("[" + String.join(",", objects) + "]");
        }
        List<String> lines = new ArrayList<>(List.of("["));
        for (int i = 0; i < objects.size(); i++) {
            lines.add(objects.get(i) + (i < objects.size() - 1 ? "," : ""));
        }
        lines.add("]");
        return lines;
    }

    private String object(Row row) {
        StringWriter text = new StringWriter();
        try (JsonGenerator generator = JSON.createGenerator(ObjectWriteContext.empty(), text)) {
            generator.writeStartObject();
            for (Attribute attribute : attributes) {
                generator.writeName(attribute.name());
                write(generator, attribute.of(row));
            }
            generator.writeEndObject();
        }
        return text.toString();
    }

    private static void write(JsonGenerator generator, Optional<?> value) {
        if (value.isEmpty()) {
            generator.writeNull();
        } else if (value.get() instanceof Long number) {
            generator.writeNumber(number);
        } else if (value.get() instanceof Boolean flag) {
            generator.writeBoolean(flag);
        } else if (value.get() instanceof Duration duration) {
            generator.writeNumber(Cells.seconds(duration).toPlainString());
        } else if (value.get() instanceof Map<?, ?> map) {
            generator.writeStartObject();
            map.forEach((key, text) -> {
                generator.writeName(String.valueOf(key));
                generator.writeString(String.valueOf(text));
            });
            generator.writeEndObject();
        } else if (value.get() instanceof List<?> pids) {
            generator.writeStartArray();
            pids.forEach(pid -> generator.writeNumber((Integer) pid));
            generator.writeEndArray();
        } else {
            generator.writeString(Values.text(value.get()));
        }
    }
}
