// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import io.pglock.Blocker;
import io.pglock.cli.internal.Stop;
import io.pglock.internal.Setting;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The table of all {@link Attribute}s, in the order in which they are shown: those of the lock, of its session ({@code activity__}),
 * and of who is in the way ({@code blocking_}). Stateless. Not API.
 */
public final class Attributes {

    static final String SEPARATOR = "__";

    private static final String SESSION = "activity__";
    private static final String BLOCKER = "blocking_";
    private static final String CONTEXT = SEPARATOR + "context" + SEPARATOR;

    private static final Map<String, Attribute> ALL = all();

    /** Other names for the same: django-pglock's, PostgreSQL's, and shorter ones. */
    private static final Map<String, String> SYNONYMS = Map.of(
            "id", "activity_id",
            "pid", "activity_id",
            "activity", "activity_id",
            "locktype", "type",
            "relation", "rel_name");

    private static final Map<String, String> SYNONYMS_OF_SESSIONS = Map.of(
            "query_start", "start",
            "usename", "user",
            "datname", "database",
            "application", "application_name");

    private Attributes() {}

    private static Map<String, Attribute> all() {
        List<Attribute> list = new ArrayList<>(LockAttributes.ALL);
        list.addAll(SessionAttributes.with(
                SESSION, "", row -> Optional.of(row.lock().backend())));
        list.addAll(LockAttributes.OF_BLOCKER);
        list.addAll(SessionAttributes.with(
                BLOCKER + SESSION, "BLOCKER'S ", row -> row.blocker().map(Blocker::backend)));
        Map<String, Attribute> all = new LinkedHashMap<>();
        list.forEach(attribute -> all.put(attribute.name(), attribute));
        return all;
    }

    /** All of them; those of blockers last. */
    public static Collection<Attribute> all(boolean withBlockers) {
        return ALL.values().stream()
                .filter(attribute -> withBlockers || !attribute.isOfBlocker())
                .toList();
    }

    /**
     * The one that is called so.
     *
     * @throws Stop that names the nearest one
     */
    public static Attribute named(String name) {
        return find(name).orElseThrow(() -> unknown(name));
    }

    /** As {@link #named(String)}; several names may stand in one, with commas. */
    public static List<Attribute> named(List<String> names) {
        return names.stream()
                .flatMap(name -> Stream.of(name.split(",", -1)))
                .map(Attributes::named)
                .toList();
    }

    static Optional<Attribute> find(String written) {
        String name = written.strip().toLowerCase(Locale.ROOT);
        Attribute attribute = ALL.get(canonical(name));
        if (attribute != null) {
            return Optional.of(attribute);
        }
        int key = name.indexOf(CONTEXT);
        return key < 0
                ? Optional.empty()
                : Optional.ofNullable(ALL.get(name.substring(0, key + CONTEXT.length() - SEPARATOR.length())))
                        .map(context -> ofContext(context, written.strip().substring(key + CONTEXT.length())));
    }

    private static String canonical(String name) {
        boolean blocker = name.startsWith(BLOCKER);
        String own = blocker ? name.substring(BLOCKER.length()) : name;
        if (own.startsWith(SESSION)) {
            String fact = own.substring(SESSION.length());
            own = fact.equals("id") || fact.equals("pid")
                    ? "activity_id"
                    : SESSION + SYNONYMS_OF_SESSIONS.getOrDefault(fact, fact);
        } else {
            own = SYNONYMS.getOrDefault(own, own);
        }
        return blocker ? BLOCKER + own : own;
    }

    private static Attribute ofContext(Attribute context, String key) {
        return new Attribute(
                context.name() + SEPARATOR + key,
                Kind.TEXT,
                key.toUpperCase(Locale.ROOT),
                context.meaning(),
                List.of(),
                row -> context.of(row).map(values -> ((Map<?, ?>) values).get(key)));
    }

    static Stop unknown(String name) {
        return Stop.usage((name.isBlank() ? "the name of an attribute is missing" : "unknown attribute " + name.strip())
                + nearest(name)
                        .map(near -> "; did you mean " + near + "?")
                        .orElse("; pglock ls --help lists them all"));
    }

    static Optional<String> nearest(String name) {
        return find(SESSION + name)
                .map(Attribute::name)
                .or(() -> Setting.nearest(name.strip(), List.copyOf(ALL.keySet())));
    }
}
