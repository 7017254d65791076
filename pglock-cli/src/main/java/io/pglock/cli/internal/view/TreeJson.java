// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import io.pglock.Backend;
import io.pglock.Blocker;
import io.pglock.LockInfo;
import io.pglock.LockMode;
import io.pglock.LockTarget;
import io.pglock.LockTree;
import io.pglock.cli.internal.select.QueryContext;
import java.io.OutputStream;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.json.JsonFactory;

/** A {@link LockTree} as one JSON object: trees of sessions, each with those that wait for it inside. For one use. Not API. */
public final class TreeJson {

    private final JsonGenerator json;
    private final TargetNames names;

    private TreeJson(JsonGenerator json, TargetNames names) {
        this.json = json;
        this.names = names;
    }

    /** Writes it, and leaves the output open. */
    public static void write(LockTree tree, TargetNames names, OutputStream out) {
        JsonFactory factory = JsonFactory.builder()
                .characterEscapes(new ControlsEscaped())
                .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
                .build();
        try (JsonGenerator json = factory.createGenerator(ObjectWriteContext.empty(), out, JsonEncoding.UTF8)) {
            new TreeJson(json, names).tree(tree);
        }
    }

    private void tree(LockTree tree) {
        json.writeStartObject();
        json.writeNumberProperty(
                "waiting",
                tree.stream().filter(node -> node.waitingFor().isPresent()).count());
        json.writeBooleanProperty("deadlock", tree.stream().anyMatch(LockTree.Node::deadlocked));
        json.writeArrayPropertyStart("roots");
        tree.roots().forEach(this::root);
        json.writeEndArray();
        json.writeArrayPropertyStart("notes");
        tree.notes().forEach(json::writeString);
        json.writeEndArray();
        json.writeEndObject();
    }

    private void root(LockTree.Root root) {
        json.writeStartObject();
        json.writeNumberProperty("victims", root.victims());
        json.writeNumberProperty("total_wait_ms", root.totalWait().toMillis());
        node(root.node());
        json.writeEndObject();
    }

    /** Into the object that is open. */
    private void node(LockTree.Node node) {
        session(node.backend());
        json.writeBooleanProperty("deadlocked", node.deadlocked());
        node.waitingFor().ifPresent(this::wait);
        node.behind().ifPresent(behind -> {
            json.writeObjectPropertyStart("behind");
            blocker(behind);
        });
        json.writeArrayPropertyStart("also_behind");
        node.alsoBehind().forEach(other -> {
            json.writeStartObject();
            blocker(other);
        });
        json.writeEndArray();
        json.writeArrayPropertyStart("waiters");
        node.waiters().forEach(waiter -> {
            json.writeStartObject();
            node(waiter);
            json.writeEndObject();
        });
        json.writeEndArray();
    }

    private void session(Backend session) {
        json.writeNumberProperty("pid", session.pid());
        text("prepared_gid", session.preparedGid());
        text("application_name", session.application());
        text("user", session.user());
        text("database", session.database());
        text("client", session.clientAddress());
        text("backend_type", session.type());
        text("state", session.state());
        age("state_ms", session.stateAge());
        text("xact_start", session.xactStart());
        age("xact_ms", session.xactAge());
        Optional<QueryContext> query = session.query().map(QueryContext::of);
        text("query", query.map(QueryContext::query));
        query.map(QueryContext::values).filter(values -> !values.isEmpty()).ifPresent(this::context);
    }

    private void context(Map<String, String> values) {
        json.writeObjectPropertyStart("context");
        values.forEach(json::writeStringProperty);
        json.writeEndObject();
    }

    private void wait(LockInfo lock) {
        LockTarget target = lock.target();
        json.writeObjectPropertyStart("waits_for");
        json.writeStringProperty("mode", lock.mode().sql());
        json.writeStringProperty("target", names.describe(target));
        json.writeStringProperty("type", target.type().name().toLowerCase(Locale.ROOT));
        text("database", target.database());
        text("schema", target.schema());
        text("relation", target.relation());
        text("ctid", target.ctid());
        text("row", names.rows().key(target));
        text("advisory_key", target.advisoryKey());
        text("advisory_owner", names.keys().owner(target));
        text("transaction", target.transaction());
        text("since", lock.waitStart());
        age("waited_ms", lock.waited());
        json.writeEndObject();
    }

    /** Into the object that is open, and closes it. */
    private void blocker(Blocker blocker) {
        json.writeNumberProperty("pid", blocker.backend().pid());
        text("prepared_gid", blocker.backend().preparedGid());
        json.writeBooleanProperty("hard", blocker.hard());
        json.writeArrayPropertyStart("modes");
        List<LockMode> modes =
                blocker.holds().stream().map(LockInfo::mode).distinct().sorted().toList();
        modes.forEach(mode -> json.writeString(mode.sql()));
        json.writeEndArray();
        json.writeEndObject();
    }

    private void text(String name, Optional<?> value) {
        value.ifPresent(known -> json.writeStringProperty(name, known.toString()));
    }

    private void age(String name, Optional<Duration> age) {
        age.ifPresent(known -> json.writeNumberProperty(name, known.toMillis()));
    }
}
