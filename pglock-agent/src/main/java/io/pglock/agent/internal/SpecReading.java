// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.LockMode;
import io.pglock.LockPolicy;
import io.pglock.TableName;
import io.pglock.agent.internal.Spec.Advisory;
import io.pglock.agent.internal.Spec.OnTimeout;
import io.pglock.agent.internal.Spec.Table;
import io.pglock.agent.internal.driver.AdvisoryKeys;
import io.pglock.internal.Setting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Reads one {@link Spec} and says everything that is wrong with it. Not thread-safe, used once. */
final class SpecReading {

    static final String RETRY_DEADLINE = Setting.RETRY_DEADLINE.key();

    /** What is hardly meant as the name of a lock. */
    private static final Set<String> ANSWERS = Set.of("true", "false", "yes", "no", "on", "off", "none");

    private static final String SKIP = "skip";
    private static final String NOWAIT = "nowait";

    private final Map<String, String> keys;
    private final Mistakes mistakes = new Mistakes();

    private SpecReading(Map<String, String> keys) {
        this.keys = keys;
    }

    /** @throws IllegalArgumentException naming every mistake */
    static Spec read(Map<String, String> keys, Spec.Base base) {
        return new SpecReading(keys).spec(base);
    }

    private Spec spec(Spec.Base base) {
        if ("false".equals(keys.get(Keys.ENABLED))) {
            return Spec.NOTHING; // whatever else is written
        }
        keys.keySet().stream()
                .filter(key ->
                        !Keys.OF_A_METHOD.contains(key) && !LockPolicy.keys().contains(key))
                .sorted()
                .forEach(key -> mistakes.add(Keys.unknown(key, Keys.OF_A_TARGET)));
        Map<String, String> settings = settings(base);
        boolean skips = skips();
        Optional<Advisory> advisory = advisory(skips);
        Optional<Table> table = table();
        if (mistakes.isEmpty()) {
            checkTogether(settings, skips, advisory, table);
        }
        mistakes.raise();
        return new Spec(
                settings,
                advisory,
                table,
                skips ? OnTimeout.SKIP : OnTimeout.RAISE,
                Optional.ofNullable(keys.get(Keys.SKIP_VALUE)),
                flag(Keys.DONE_ON_RETURN));
    }

    /** With what must be said to have nothing in force that is not meant. */
    private Map<String, String> settings(Spec.Base base) {
        Map<String, String> written = new TreeMap<>(keys);
        written.keySet().retainAll(LockPolicy.keys());
        MonitorKeys.check(written, mistakes);

        Map<String, String> checkedHere = new TreeMap<>(written);
        MonitorKeys.ALL.forEach(checkedHere::remove);
        mistakes.read(() -> LockPolicy.parse(checkedHere));

        Map<String, String> settings = new TreeMap<>(base.settings());
        // Only who wrote the method, or names it, can know that it may run twice.
        if (!written.containsKey(Setting.RETRY_ATTEMPTS.key())) {
            settings.put(RETRY_DEADLINE, "0s");
        }
        settings.putAll(written);
        if (base == Spec.Base.TARGET && "none".equals(settings.get(Setting.LOCK_TIMEOUT.key()))) {
            // As anywhere: the session's own timeout is not that of CONCURRENTLY. An annotation that does not say so
            // leaves it.
            settings.putIfAbsent(Setting.CONCURRENT_LOCK_TIMEOUT.key(), "none");
        }
        return settings;
    }

    private boolean skips() {
        String text = keys.getOrDefault(Keys.ON_TIMEOUT, "raise").strip();
        if (!text.equals(SKIP) && !text.equals("raise")) {
            mistakes.add(Keys.ON_TIMEOUT + "=" + text + ": is none of raise, skip"
                    + Keys.nearest(text, List.of("raise", SKIP))
                            .map(near -> ". Did you mean " + near + "?")
                            .orElse(""));
        }
        return text.equals(SKIP);
    }

    private Optional<Advisory> advisory(boolean skips) {
        boolean shared = flag(Keys.ADVISORY_SHARED);
        boolean xact = flag(Keys.ADVISORY_XACT);
        boolean atOnce = skips && !xact && !keys.containsKey(Keys.ADVISORY_TIMEOUT); // what else would skip mean
        Optional<Duration> timeout = atOnce ? Optional.of(Duration.ZERO) : limit(Keys.ADVISORY_TIMEOUT);
        String key = keys.getOrDefault(Keys.ADVISORY, "false").strip();
        if (key.equals("false")) {
            mustStandWith(Keys.ADVISORY, Keys.ADVISORY_SHARED, Keys.ADVISORY_XACT, Keys.ADVISORY_TIMEOUT);
            return Optional.empty();
        }
        if (key.equals("true")) {
            key = "";
        } else if (ANSWERS.contains(key.toLowerCase(Locale.ROOT))) {
            mistakes.add(Keys.ADVISORY + "=" + key + ": would be a lock of that name; write true for <class>.<method>,"
                    + " false for no lock, or another name");
        }
        String name = key;
        mistakes.read(() -> AdvisoryKeys.read(name.isEmpty() ? "Class.method" : name));
        return Optional.of(new Advisory(name, shared, xact, timeout));
    }

    private Optional<Table> table() {
        Optional<LockMode> mode = mistakes.read(this::mode);
        boolean nowait = keys.getOrDefault(Keys.TABLE_TIMEOUT, "none").strip().equals(NOWAIT);
        Optional<Duration> timeout = nowait ? Optional.of(Duration.ZERO) : limit(Keys.TABLE_TIMEOUT);
        String text = keys.getOrDefault(Keys.TABLE, "none").strip();
        if (text.equals("none")) {
            mustStandWith(Keys.TABLE, Keys.TABLE_MODE, Keys.TABLE_TIMEOUT);
            return Optional.empty();
        }
        List<String> tables = names(text);
        tables.forEach(table -> mistakes.read(() -> name(table)));
        boolean atOnce = timeout.filter(Duration::isZero).isPresent();
        return mode.map(it -> new Table(tables, it.sql(), atOnce ? Optional.empty() : timeout, atOnce));
    }

    private static TableName name(String text) {
        try {
            return TableName.parse(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    Keys.TABLE + "=" + text + ": is not the name of a table; write table or schema.table, several with"
                            + " commas between them, and names with other characters than letters, digits, _ and $ in"
                            + " double quotes",
                    e);
        }
    }

    /** In PostgreSQL's words, or as the constant of Java is named. */
    private LockMode mode() {
        String text = keys.getOrDefault(Keys.TABLE_MODE, "access exclusive").strip();
        String plain = text.toUpperCase(Locale.ROOT).replaceAll("[\\s_-]+", " ");
        return Arrays.stream(LockMode.values())
                .filter(mode -> mode.sql().equals(plain))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(Keys.TABLE_MODE + "=" + text + ": is none of "
                        + modes().stream().collect(Collectors.joining(", "))
                        + Keys.nearest(text, modes())
                                .map(near -> ". Did you mean " + near + "?")
                                .orElse("")));
    }

    private static List<String> modes() {
        return Arrays.stream(LockMode.values())
                .map(mode -> mode.sql().toLowerCase(Locale.ROOT))
                .toList();
    }

    private void checkTogether(
            Map<String, String> settings, boolean skips, Optional<Advisory> advisory, Optional<Table> table) {
        if (!skips) {
            if (keys.containsKey(Keys.SKIP_VALUE)) {
                mistakes.add(Keys.SKIP_VALUE + " counts only together with onTimeout=skip; set that too, or remove it");
            }
            return;
        }
        if (advisory.isEmpty() && table.isEmpty()) {
            mistakes.add("onTimeout=skip counts only together with advisory or table; set one of them, or remove it");
        }
        if (advisory.filter(Advisory::xact).isPresent()) {
            mistakes.add("onTimeout=skip cannot be had with advisoryXact: that lock is asked for when the method has"
                    + " already begun; remove one of them");
        } else if (advisory.filter(lock -> lock.timeout().isEmpty()).isPresent()) {
            mistakes.add("onTimeout=skip never skips while advisoryTimeout is none; write how long to wait, or leave"
                    + " advisoryTimeout out to skip at once");
        }
        if (table.filter(lock -> !lock.nowait() && lock.timeout().isEmpty()).isPresent()
                && "none".equals(settings.get(Setting.LOCK_TIMEOUT.key()))) {
            mistakes.add("onTimeout=skip never skips while tableTimeout and lockTimeout are none; write"
                    + " tableTimeout=nowait to skip at once, or how long to wait");
        }
    }

    private void mustStandWith(String needed, String... others) {
        for (String key : others) {
            if (keys.containsKey(key)) {
                mistakes.add(key + " counts only together with " + needed + "; set that too, or remove it");
            }
        }
    }

    private boolean flag(String key) {
        return keys.containsKey(key)
                && mistakes.read(() -> Setting.ENABLED.readAs(key, keys.get(key)))
                        .filter(Boolean.TRUE::equals)
                        .isPresent();
    }

    private Optional<Duration> limit(String key) {
        String text = keys.get(key);
        return text == null
                ? Optional.empty()
                : mistakes.read(() -> (Optional<?>) Setting.RETRY_DEADLINE.readAs(key, text))
                        .flatMap(limit -> limit.map(Duration.class::cast));
    }

    /** Separated by commas, except within double quotes. */
    private static List<String> names(String text) {
        List<String> names = new ArrayList<>();
        StringBuilder name = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            quoted ^= c == '"';
            if (c == ',' && !quoted) {
                names.add(name.toString().strip());
                name.setLength(0);
            } else {
                name.append(c);
            }
        }
        names.add(name.toString().strip());
        return names;
    }
}
