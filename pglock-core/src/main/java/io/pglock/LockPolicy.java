// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.Monitor;
import io.pglock.internal.Setting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import javax.sql.DataSource;

/**
 * pglock's settings, in the one vocabulary that every host shares: {@code lockTimeout}, {@code prioritize} and so on. It
 * says what a {@link LockGuard} does for a unit of work. Immutable and thread-safe.
 *
 * {@snippet :
 * LockPolicy policy = LockPolicy.parse(Map.of("lockTimeout", "3s", "prioritize", "terminate"));
 * LockPolicy forThisOne = policy.with(Map.of("lockTimeout", "500ms"));
 * }
 *
 * <p>Durations read {@code 500ms}, {@code 5s}, {@code 2m}, {@code 1h} or ISO-8601 ({@code PT2S}); a limit may be {@code
 * none}. Whatever is misspelt or out of range is an {@link IllegalArgumentException} that names the key, the value and the
 * right form, and all of them at once.
 *
 * @see <a href="https://www.postgresql.org/docs/current/runtime-config-client.html#RUNTIME-CONFIG-CLIENT-STATEMENT">
 *     lock_timeout, statement_timeout</a>
 */
public final class LockPolicy {

    /** What happens to a session that blocks the work. */
    public enum Priority {
        /** Nobody looks; there is no side connection. */
        OFF,
        /** It is named. */
        REPORT,
        /** Its running statement is cancelled. */
        CANCEL,
        /**
         * Its running statement is cancelled, and the session terminated if it still blocks after the grace; at once if it has
         * idled for as long as {@link #prioritizeAfter()}.
         */
        TERMINATE
    }

    private static final LockPolicy DEFAULTS = ofDefaults();

    private final Map<Setting, Object> values;
    private final Optional<Monitor> monitor;

    private LockPolicy(Map<Setting, Object> values, Optional<Monitor> monitor) {
        this.values = values;
        this.monitor = monitor;
    }

    private static LockPolicy ofDefaults() {
        Map<Setting, Object> values = new EnumMap<>(Setting.class);
        for (Setting setting : Setting.values()) {
            setting.defaultValue().ifPresent(value -> values.put(setting, value));
        }
        return new LockPolicy(values, Optional.empty());
    }

    /** Every setting at its default. */
    public static LockPolicy defaults() {
        return DEFAULTS;
    }

    /**
     * The defaults with these settings on top.
     *
     * @param settings by key, without any prefix of the host's
     * @throws IllegalArgumentException when a key does not exist or a value is not in the right form
     */
    public static LockPolicy parse(Map<String, String> settings) {
        return DEFAULTS.with(settings);
    }

    /** The keys that {@link #parse} accepts, in the order of the manual. */
    public static List<String> keys() {
        return Arrays.stream(Setting.values()).map(Setting::key).toList();
    }

    /** The key that was probably meant, where there is one much like this; the key itself, if it is one. */
    public static Optional<String> nearest(String key) {
        return Setting.nearest(key);
    }

    /**
     * What a setting does and why its default is what it is, for a host that lists its settings.
     *
     * @throws IllegalArgumentException when there is no such key
     */
    public static String meaning(String key) {
        return Setting.named(key).meaning();
    }

    /**
     * Whether its value is not to be shown: a password.
     *
     * @throws IllegalArgumentException when there is no such key
     */
    public static boolean isSecret(String key) {
        return Setting.named(key).secret();
    }

    /**
     * Settings in one line, as they stand beside one migration: {@code lockTimeout=3s prioritize=off}.
     *
     * @return by key; whether they exist and are right {@link #with} will say
     * @throws IllegalArgumentException when it is not that: the message shows what is, but for what may be a password
     */
    public static Map<String, String> settings(String line) {
        Map<String, String> settings = new LinkedHashMap<>();
        for (String setting : line.strip().split("\\s+", -1)) {
            int equals = setting.indexOf('=');
            if (equals <= 0) {
                boolean secret = Setting.isSecretIn(line);
                throw new IllegalArgumentException("pglock: "
                        + (secret ? "a line with a password" : "\"" + line.strip() + "\"")
                        + (line.isBlank() ? " has no setting" : " is not understood")
                        + (secret || line.isBlank() ? "" : " at \"" + setting + "\"")
                        + "; write key=value, separated by blanks, as in: lockTimeout=3s prioritize=off");
            }
            settings.put(setting.substring(0, equals), setting.substring(equals + 1));
        }
        return settings;
    }

    /**
     * This policy with these settings on top, as for one migration.
     *
     * @param overrides by key, without any prefix of the host's
     * @throws IllegalArgumentException when a key does not exist or a value is not in the right form
     */
    public LockPolicy with(Map<String, String> overrides) {
        Map<Setting, Object> changed = new EnumMap<>(values);
        List<String> mistakes = new ArrayList<>();
        overrides.forEach((key, text) -> {
            try {
                Setting setting = Setting.named(key);
                changed.put(setting, setting.read(text));
            } catch (IllegalArgumentException e) {
                mistakes.add(String.valueOf(e.getMessage()));
            }
        });
        if (mistakes.isEmpty() && !changed.containsKey(Setting.MONITOR_URL)) {
            for (Setting needsUrl : List.of(Setting.MONITOR_USER, Setting.MONITOR_PASSWORD)) {
                if (changed.containsKey(needsUrl)) {
                    mistakes.add(needsUrl.key() + " counts only together with monitorUrl; set that too");
                }
            }
        }
        if (!mistakes.isEmpty()) {
            throw new IllegalArgumentException(
                    mistakes.stream().sorted().collect(Collectors.joining("; ", "pglock: ", "")));
        }
        return changedTo(changed);
    }

    /** Whether pglock does anything at all. */
    public boolean enabled() {
        return get(Setting.ENABLED);
    }

    /** The longest wait for one lock; empty where the session's own {@code lock_timeout} stays in force. */
    public Optional<Duration> lockTimeout() {
        return get(Setting.LOCK_TIMEOUT);
    }

    /** The longest run of one statement; empty where the session's own {@code statement_timeout} stays in force. */
    public Optional<Duration> statementTimeout() {
        return get(Setting.STATEMENT_TIMEOUT);
    }

    /** The longest wait for one lock of a {@code CONCURRENTLY} statement; empty where it waits as long as it takes. */
    public Optional<Duration> concurrentLockTimeout() {
        return get(Setting.CONCURRENT_LOCK_TIMEOUT);
    }

    /** How long the work is tried again after its first failure to get a lock; empty for ever, zero for never. */
    public Optional<Duration> retryDeadline() {
        return get(Setting.RETRY_DEADLINE);
    }

    /** How many attempts there are at most; empty where only the deadline counts. */
    public Optional<Integer> retryAttempts() {
        return get(Setting.RETRY_ATTEMPTS);
    }

    /** The longest pause before the second attempt. */
    public Duration retryDelay() {
        return get(Setting.RETRY_DELAY);
    }

    /** The longest pause before any attempt, but for the one after giving way, which lasts while those in the way are seen. */
    public Duration retryMaxDelay() {
        return get(Setting.RETRY_MAX_DELAY);
    }

    /** How much anybody may lose by waiting behind the work while it waits itself; empty as long as it takes. */
    public Optional<Duration> maxBlockedTime() {
        return get(Setting.MAX_BLOCKED_TIME);
    }

    /** How many sessions may queue behind the work while it waits itself; empty for any number. */
    public Optional<Integer> maxVictims() {
        return get(Setting.MAX_VICTIMS);
    }

    /** What happens to a session that blocks the work. */
    public Priority prioritize() {
        return get(Setting.PRIORITIZE);
    }

    /** How long the work is blocked before anything is signalled. */
    public Duration prioritizeAfter() {
        return get(Setting.PRIORITIZE_AFTER);
    }

    /** The time between a cancel and the terminate that follows it. */
    public Duration prioritizeGrace() {
        return get(Setting.PRIORITIZE_GRACE);
    }

    /** Blockers whose transaction is younger than this are spared. */
    public Optional<Duration> prioritizeMinAge() {
        return get(Setting.PRIORITIZE_MIN_AGE);
    }

    /** Application or role names that are never signalled. */
    public List<String> protect() {
        return get(Setting.PROTECT);
    }

    /** How often the watch looks. */
    public Duration pollInterval() {
        return get(Setting.POLL_INTERVAL);
    }

    /** The side connection's own URL; its user and password are not shown. */
    public Optional<String> monitorUrl() {
        return Optional.ofNullable(values.get(Setting.MONITOR_URL)).map(String::valueOf);
    }

    /** Whether work without a usable side connection is refused. */
    public boolean monitorRequired() {
        return get(Setting.MONITOR_REQUIRED);
    }

    /** The file that gets a line for each unit of work; absolute. */
    public Optional<Path> report() {
        return get(Setting.REPORT);
    }

    /** The data source of the side connection's own URL: one object for one policy and all that derive from it. */
    Optional<DataSource> monitor() {
        return monitor.map(Monitor::dataSource);
    }

    /** This policy, or the one that does nothing where it is not enabled. */
    LockPolicy inForce() {
        return enabled()
                ? this
                : noLockTimeout().noStatementTimeout().prioritize(Priority.OFF).retryDeadline(Duration.ZERO);
    }

    /** This policy, doing something or nothing. */
    public LockPolicy enabled(boolean enabled) {
        return with(Setting.ENABLED, enabled);
    }

    /**
     * This policy with another {@code lock_timeout}.
     *
     * @param timeout at least 1 ms
     * @throws IllegalArgumentException when PostgreSQL cannot count it: below 1 ms, above 24 days
     */
    public LockPolicy lockTimeout(Duration timeout) {
        return with(Setting.LOCK_TIMEOUT, Optional.of(timeout));
    }

    /** This policy, leaving the session's own {@code lock_timeout} in force. */
    public LockPolicy noLockTimeout() {
        return with(Setting.LOCK_TIMEOUT, Optional.empty());
    }

    /**
     * This policy with another {@code statement_timeout}.
     *
     * @param timeout at least 1 ms
     * @throws IllegalArgumentException when PostgreSQL cannot count it: below 1 ms, above 24 days
     */
    public LockPolicy statementTimeout(Duration timeout) {
        return with(Setting.STATEMENT_TIMEOUT, Optional.of(timeout));
    }

    /** This policy, leaving the session's own {@code statement_timeout} in force. */
    public LockPolicy noStatementTimeout() {
        return with(Setting.STATEMENT_TIMEOUT, Optional.empty());
    }

    /**
     * This policy with another {@code lock_timeout} for {@code CONCURRENTLY} statements outside a transaction.
     *
     * @param timeout at least 1 ms
     * @throws IllegalArgumentException when PostgreSQL cannot count it: below 1 ms, above 24 days
     */
    public LockPolicy concurrentLockTimeout(Duration timeout) {
        return with(Setting.CONCURRENT_LOCK_TIMEOUT, Optional.of(timeout));
    }

    /** This policy, letting {@code CONCURRENTLY} statements wait as long as it takes. */
    public LockPolicy noConcurrentLockTimeout() {
        return with(Setting.CONCURRENT_LOCK_TIMEOUT, Optional.empty());
    }

    /** This policy, trying again for another time after the first failure (not negative; zero for never). */
    public LockPolicy retryDeadline(Duration deadline) {
        return with(Setting.RETRY_DEADLINE, Optional.of(deadline));
    }

    /** This policy, trying again for ever, unless {@link #retryAttempts(int)} bounds it. */
    public LockPolicy noRetryDeadline() {
        return with(Setting.RETRY_DEADLINE, Optional.empty());
    }

    /** This policy with another bound on the number of attempts (at least 1). */
    public LockPolicy retryAttempts(int attempts) {
        return with(Setting.RETRY_ATTEMPTS, Optional.of(attempts));
    }

    /** This policy with another longest pause before the second attempt (at least 1 ms). */
    public LockPolicy retryDelay(Duration delay) {
        return with(Setting.RETRY_DELAY, delay);
    }

    /** This policy with another longest pause before any attempt (at least 1 ms). */
    public LockPolicy retryMaxDelay(Duration delay) {
        return with(Setting.RETRY_MAX_DELAY, delay);
    }

    /** This policy, giving way before somebody has lost more than another time behind the work (not negative). */
    public LockPolicy maxBlockedTime(Duration time) {
        return with(Setting.MAX_BLOCKED_TIME, Optional.of(time));
    }

    /** This policy, letting others wait behind the work for as long as it waits. */
    public LockPolicy noMaxBlockedTime() {
        return with(Setting.MAX_BLOCKED_TIME, Optional.empty());
    }

    /** This policy, giving way when more sessions than this queue behind the work (not negative). */
    public LockPolicy maxVictims(int victims) {
        return with(Setting.MAX_VICTIMS, Optional.of(victims));
    }

    /** This policy, dealing otherwise with blockers. */
    public LockPolicy prioritize(Priority priority) {
        return with(Setting.PRIORITIZE, priority);
    }

    /** This policy, signalling after another time (not negative). */
    public LockPolicy prioritizeAfter(Duration blocked) {
        return with(Setting.PRIORITIZE_AFTER, blocked);
    }

    /** This policy with another time between cancel and terminate (not negative). */
    public LockPolicy prioritizeGrace(Duration grace) {
        return with(Setting.PRIORITIZE_GRACE, grace);
    }

    /** This policy, sparing blockers whose transaction is younger than this (not negative). */
    public LockPolicy prioritizeMinAge(Duration age) {
        return with(Setting.PRIORITIZE_MIN_AGE, Optional.of(age));
    }

    /** This policy, protecting these application or role names and no others. */
    public LockPolicy protect(String... names) {
        return with(Setting.PROTECT, List.of(names));
    }

    /** This policy, looking at another interval (at least 1 ms). */
    public LockPolicy pollInterval(Duration interval) {
        return with(Setting.POLL_INTERVAL, interval);
    }

    /** This policy, refusing work without a usable side connection, or not. */
    public LockPolicy monitorRequired(boolean required) {
        return with(Setting.MONITOR_REQUIRED, required);
    }

    /**
     * This policy, writing a line for each unit of work to this file.
     *
     * @throws IllegalArgumentException when its folder does not exist, or it cannot be written
     */
    public LockPolicy report(Path file) {
        return with(Setting.REPORT, Optional.of(file.toAbsolutePath()));
    }

    /** What differs from the defaults, as it would be written; never a password. */
    @Override
    public String toString() {
        return values.entrySet().stream()
                .filter(entry -> !entry.getValue().equals(DEFAULTS.values.get(entry.getKey())))
                .map(entry -> entry.getKey().key() + "=" + shown(entry.getKey(), entry.getValue()))
                .collect(Collectors.joining(", ", "LockPolicy[", "]"));
    }

    private static String shown(Setting setting, Object value) {
        if (setting.secret()) {
            return "...";
        }
        return setting == Setting.MONITOR_URL ? Monitor.shown(setting.write(value)) : setting.write(value);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LockPolicy policy && values.equals(policy.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    private LockPolicy with(Setting setting, Object value) {
        Map<Setting, Object> changed = new EnumMap<>(values);
        changed.put(setting, setting.checked(value));
        return changedTo(changed);
    }

    private LockPolicy changedTo(Map<Setting, Object> changed) {
        boolean sameMonitor = List.of(Setting.MONITOR_URL, Setting.MONITOR_USER, Setting.MONITOR_PASSWORD).stream()
                .allMatch(setting -> Objects.equals(changed.get(setting), values.get(setting)));
        return new LockPolicy(changed, sameMonitor ? monitor : monitorOf(changed));
    }

    private static Optional<Monitor> monitorOf(Map<Setting, Object> values) {
        return text(values, Setting.MONITOR_URL)
                .map(url ->
                        new Monitor(url, text(values, Setting.MONITOR_USER), text(values, Setting.MONITOR_PASSWORD)));
    }

    private static Optional<String> text(Map<Setting, Object> values, Setting setting) {
        return Optional.ofNullable(values.get(setting)).map(String::valueOf);
    }

    /** Every setting that has a default is there, with a value of the type that its spelling reads. */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private <T> T get(Setting setting) {
        return (T) Objects.requireNonNull(values.get(setting));
    }
}
