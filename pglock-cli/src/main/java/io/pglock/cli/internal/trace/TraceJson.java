// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.trace;

import io.pglock.cli.internal.view.ControlsEscaped;
import java.io.OutputStream;
import java.util.List;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.json.JsonFactory;

/** What the statements did, for programs: one object in a line. Stateless. */
final class TraceJson {

    private TraceJson() {}

    static void write(OutputStream out, List<TracedStatement> statements, boolean scratch) {
        JsonFactory factory = JsonFactory.builder()
                .characterEscapes(new ControlsEscaped())
                .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
                .build();
        try (JsonGenerator json = factory.createGenerator(ObjectWriteContext.empty(), out)) {
            json.writeStartObject();
            json.writeBooleanProperty("scratch", scratch);
            json.writeArrayPropertyStart("statements");
            statements.forEach(statement -> write(json, statement));
            json.writeEndArray();
            json.writeEndObject();
            json.writeRaw('\n');
        }
    }

    private static void write(JsonGenerator json, TracedStatement traced) {
        json.writeStartObject();
        json.writeStringProperty("file", traced.statement().file());
        json.writeNumberProperty("line", traced.statement().line());
        json.writeStringProperty("sql", traced.statement().sql());
        json.writeNumberProperty("millis", traced.ran().toMillis());
        json.writeBooleanProperty("transaction", !traced.sampled());
        json.writeArrayPropertyStart("locks");
        traced.locks().forEach(lock -> write(json, lock));
        json.writeEndArray();
        relations(json, "rewrites", traced.rewritten());
        relations(json, "creates", traced.created());
        relations(json, "drops", traced.dropped());
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, TracedLock lock) {
        json.writeStartObject();
        json.writeStringProperty("mode", lock.mode().sql());
        identity(json, lock.on());
        json.writeBooleanProperty("new", lock.isNew());
        json.writeNumberProperty("heldMillis", lock.held().toMillis());
        lock.blocks().ifPresent(what -> json.writeStringProperty("blocks", what));
        json.writeEndObject();
    }

    private static void relations(JsonGenerator json, String name, List<Relation> relations) {
        json.writeArrayPropertyStart(name);
        for (Relation relation : relations) {
            json.writeStartObject();
            identity(json, relation);
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void identity(JsonGenerator json, Relation relation) {
        json.writeStringProperty("schema", relation.schema());
        json.writeStringProperty("relation", relation.name());
        json.writeStringProperty("kind", relation.kindInWords());
    }
}
