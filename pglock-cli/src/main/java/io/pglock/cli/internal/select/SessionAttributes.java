// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import io.pglock.Backend;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** What can be known of a session: the same of whose lock it is and of who is in the way. Stateless. */
final class SessionAttributes {

    private static final List<String> STATES = List.of(
            "active",
            "idle",
            "idle in transaction",
            "idle in transaction (aborted)",
            "fastpath function call",
            "starting",
            "disabled");

    /** One of them, without a prefix. */
    private record Fact(
            String name, Kind kind, String heading, String meaning, Function<Backend, ? extends Optional<?>> value) {}

    private static final List<Fact> FACTS = List.of(
            new Fact("application_name", Kind.TEXT, "APPLICATION", "its application_name", Backend::application),
            new Fact("user", Kind.TEXT, "USER", "its role", Backend::user),
            new Fact("database", Kind.TEXT, "CONNECTED TO", "the database it is connected to", Backend::database),
            new Fact("state", Kind.WORD, "STATE", "active, idle in transaction ...", Backend::state),
            new Fact("state_change", Kind.INSTANT, "STATE SINCE", "since when", Backend::stateChange),
            new Fact("state_duration", Kind.DURATION, "STATE FOR", "for how long", Backend::stateAge),
            new Fact("xact_start", Kind.INSTANT, "XACT SINCE", "when its transaction began", Backend::xactStart),
            new Fact(
                    "xact_duration", Kind.DURATION, "XACT", "how long its transaction has been open", Backend::xactAge),
            new Fact("start", Kind.INSTANT, "QUERY SINCE", "when its query began", Backend::queryStart),
            new Fact(
                    "duration",
                    Kind.DURATION,
                    "AGE",
                    "how long ago its query began",
                    backend -> backend.queryStart().map(start -> Duration.between(start, backend.seenAt()))),
            new Fact(
                    "query",
                    Kind.TEXT,
                    "QUERY",
                    "its current or last query",
                    backend ->
                            backend.query().map(query -> QueryContext.of(query).query())),
            new Fact(
                    "context",
                    Kind.MAP,
                    "CONTEXT",
                    "what the comments of its query say",
                    backend -> backend.query()
                            .map(query -> QueryContext.of(query).values())
                            .filter(values -> !values.isEmpty())),
            new Fact(
                    "wait_event_type",
                    Kind.WORD,
                    "WAITS FOR",
                    "the kind of event it waits for",
                    backend -> backend.waitEvent().map(event -> event.split(":", 2)[0])),
            new Fact(
                    "wait_event",
                    Kind.WORD,
                    "EVENT",
                    "the event it waits for",
                    backend -> backend.waitEvent().map(event -> event.substring(event.indexOf(':') + 1))),
            new Fact("backend_type", Kind.WORD, "BACKEND", "client backend, autovacuum worker ...", Backend::type),
            new Fact("backend_start", Kind.INSTANT, "CONNECTED", "when it began", Backend::backendStart),
            new Fact(
                    "backend_xid",
                    Kind.NUMBER,
                    "XID",
                    "the id of its transaction",
                    backend -> backend.xid().map(Long::valueOf)),
            new Fact(
                    "backend_xmin",
                    Kind.NUMBER,
                    "XMIN",
                    "the oldest id its snapshot still needs",
                    backend -> backend.xmin().map(Long::valueOf)),
            new Fact(
                    "leader_pid",
                    Kind.NUMBER,
                    "LEADER",
                    "for whom this parallel worker works",
                    backend -> backend.leaderPid().map(Integer::longValue)),
            new Fact(
                    "client_addr",
                    Kind.TEXT,
                    "CLIENT",
                    "the client's address",
                    backend -> backend.clientAddress().map(SessionAttributes::host)),
            new Fact(
                    "client_port",
                    Kind.NUMBER,
                    "PORT",
                    "and port",
                    backend -> backend.clientAddress()
                            .map(address -> Long.valueOf(address.substring(address.lastIndexOf(':') + 1)))),
            new Fact("client_hostname", Kind.TEXT, "CLIENT NAME", "the client's name", Backend::clientHostname),
            new Fact(
                    "prepared_gid",
                    Kind.TEXT,
                    "PREPARED",
                    "the global id of a prepared transaction",
                    Backend::preparedGid),
            new Fact(
                    "visible",
                    Kind.FLAG,
                    "VISIBLE",
                    "whether your role may see state and query",
                    backend -> Optional.of(backend.visible())));

    private SessionAttributes() {}

    /** As PostgreSQL shows it: in front of a port, {@code ::1} stands in brackets. */
    private static String host(String address) {
        String host = address.substring(0, address.lastIndexOf(':'));
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    /** Each with this prefix, of the session that a row has in that place. */
    static List<Attribute> with(String prefix, String heading, Function<Row, Optional<Backend>> session) {
        return FACTS.stream()
                .map(fact -> new Attribute(
                        prefix + fact.name(),
                        fact.kind(),
                        heading + fact.heading(),
                        fact.meaning(),
                        fact.name().equals("state") ? STATES : List.of(),
                        row -> session.apply(row)
                                .flatMap(backend -> fact.value().apply(backend))))
                .toList();
    }
}
