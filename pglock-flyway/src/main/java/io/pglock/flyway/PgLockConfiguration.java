// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.pglock.LockPolicy;
import java.lang.System.Logger.Level;
import java.util.Collections;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.WeakHashMap;
import java.util.regex.Pattern;
import org.flywaydb.core.extensibility.ConfigurationExtension;
import org.flywaydb.core.extensibility.Plugin;
import org.jspecify.annotations.Nullable;

/**
 * pglock's settings in Flyway's configuration, under {@code flyway.pglock.}: one text for each key of {@link LockPolicy},
 * {@code null} where it is not set. What they mean, and whether they are right, is {@link LockPolicy#parse}'s to say.
 *
 * {@snippet :
 * configuration.getPluginRegister().getPlugin(PgLockConfiguration.class).setLockTimeout("3s");
 * }
 *
 * <p>Flyway makes one for each of its configurations and fills it from {@code flyway.toml}, {@code flyway.conf}, the
 * environment and so on. Not thread-safe, like Flyway's own configuration.
 */
public final class PgLockConfiguration implements ConfigurationExtension {

    static final String NAMESPACE = "pglock";

    private static final String VARIABLE = "FLYWAY_PGLOCK_";

    /** By what the latest migration has begun; not a field of each, as those are its settings. */
    private static final Map<PgLockConfiguration, LockPolicy> USED = Collections.synchronizedMap(new WeakHashMap<>());

    // Only texts, because Flyway drops the whole namespace silently when one value has the wrong type; only fields
    // with a getter and a setter, because Flyway 10 and 11 copy this through JSON. The one annotation is needed where
    // Flyway reads settings with Jackson, 2 or 3: Plugin.isEnabled() is ignored there, and would take `enabled` with
    // it. Where Jackson is absent the annotation is too, and missed by nobody.
    private @Nullable String enabled;
    private @Nullable String lockTimeout;
    private @Nullable String statementTimeout;
    private @Nullable String concurrentLockTimeout;
    private @Nullable String retryDeadline;
    private @Nullable String retryAttempts;
    private @Nullable String retryDelay;
    private @Nullable String retryMaxDelay;
    private @Nullable String maxBlockedTime;
    private @Nullable String maxVictims;
    private @Nullable String prioritize;
    private @Nullable String prioritizeAfter;
    private @Nullable String prioritizeGrace;
    private @Nullable String prioritizeMinAge;
    private @Nullable String protect;
    private @Nullable String pollInterval;
    private @Nullable String monitorUrl;
    private @Nullable String monitorUser;
    private @Nullable String monitorPassword;
    private @Nullable String monitorRequired;
    private @Nullable String report;

    /** As Flyway needs it. */
    public PgLockConfiguration() {}

    @Override
    public String getNamespace() {
        return NAMESPACE;
    }

    /**
     * {@code FLYWAY_PGLOCK_LOCK_TIMEOUT} is {@code flyway.pglock.lockTimeout}. Whatever begins like that is ours, so that Flyway
     * refuses what is misspelt instead of passing over it.
     */
    @Override
    @SuppressWarnings("NullAway") // Flyway's own: null where the variable is none of ours
    public @Nullable String getConfigurationParameterFromEnvironmentVariable(String environmentVariable) {
        if (!environmentVariable.startsWith(VARIABLE)) {
            return null;
        }
        String name = environmentVariable.substring(VARIABLE.length()).toLowerCase(Locale.ROOT);
        String key = Pattern.compile("_(.)")
                .matcher(name)
                .replaceAll(letter -> letter.group(1).toUpperCase(Locale.ROOT));
        return "flyway." + NAMESPACE + "." + key;
    }

    @Override
    public Plugin copy() {
        PgLockConfiguration copy = new PgLockConfiguration();
        copy.take(settings());
        return copy;
    }

    /** @throws IllegalArgumentException when a value is not in the right form */
    LockPolicy policy() {
        return LockPolicy.parse(settings());
    }

    /** For a migration that begins. */
    LockPolicy use() {
        LockPolicy policy = policy();
        USED.put(this, policy);
        return policy;
    }

    /**
     * Takes settings of the host's, which are meant for all its Flyways, where none is set here: what is set here already is
     * meant for this one. When they come too late, for a migration has run without them, a warning says so.
     *
     * @param settings by key, without any prefix
     * @throws IllegalArgumentException when a key does not exist or a value is not in the right form; then nothing is taken
     */
    public void defaultTo(Map<String, String> settings) {
        LockPolicy.parse(settings);
        Map<String, String> missing = new HashMap<>(settings);
        missing.keySet().removeAll(settings().keySet());
        take(missing);
        LockPolicy used = USED.getOrDefault(this, policy());
        if (!used.equals(policy())) {
            PgLockCallback.log(
                    Level.WARNING,
                    "this Flyway has migrated without " + new TreeSet<>(missing.keySet())
                            + ", which it gets only now. A Flyway that is a bean gets its settings when it is made: migrate then"
                            + " (initMethod=\"migrate\"), or give it the callback that has them (pglockFlywayCallback)");
        }
    }

    /** What is set, by the keys of {@link LockPolicy}: each field is named like its key. */
    private Map<String, String> settings() {
        Map<String, String> settings = new HashMap<>();
        try {
            for (String key : LockPolicy.keys()) {
                if (PgLockConfiguration.class.getDeclaredField(key).get(this) instanceof String value) {
                    settings.put(key, value);
                }
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("a setting without a field", e);
        }
        return settings;
    }

    private void take(Map<String, String> settings) {
        try {
            for (Map.Entry<String, String> setting : settings.entrySet()) {
                PgLockConfiguration.class.getDeclaredField(setting.getKey()).set(this, setting.getValue());
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("a setting without a field", e);
        }
    }

    /** Whether pglock does anything: {@code true} or {@code false}. */
    @JsonProperty("enabled")
    public @Nullable String getEnabled() {
        return enabled;
    }

    /** @param enabled whether pglock does anything: {@code true} or {@code false} */
    @JsonProperty("enabled")
    public void setEnabled(@Nullable String enabled) {
        this.enabled = enabled;
    }

    /** The longest wait for one lock: {@code 3s}, or {@code none}. */
    public @Nullable String getLockTimeout() {
        return lockTimeout;
    }

    /** @param lockTimeout the longest wait for one lock: {@code 3s}, or {@code none} */
    public void setLockTimeout(@Nullable String lockTimeout) {
        this.lockTimeout = lockTimeout;
    }

    /** The longest run of one statement: {@code 10m}, or {@code none}. */
    public @Nullable String getStatementTimeout() {
        return statementTimeout;
    }

    /** @param statementTimeout the longest run of one statement: {@code 10m}, or {@code none} */
    public void setStatementTimeout(@Nullable String statementTimeout) {
        this.statementTimeout = statementTimeout;
    }

    /** The longest wait for one lock of a {@code CONCURRENTLY} statement: {@code 1h}, or {@code none}. */
    public @Nullable String getConcurrentLockTimeout() {
        return concurrentLockTimeout;
    }

    /** @param concurrentLockTimeout the longest wait for one lock of a {@code CONCURRENTLY} statement: {@code 1h}, or {@code none} */
    public void setConcurrentLockTimeout(@Nullable String concurrentLockTimeout) {
        this.concurrentLockTimeout = concurrentLockTimeout;
    }

    /** How long a migration is tried again: {@code 10m}, {@code none} for ever, {@code 0s} never. */
    public @Nullable String getRetryDeadline() {
        return retryDeadline;
    }

    /** @param retryDeadline how long a migration is tried again: {@code 10m}, {@code none} for ever, {@code 0s} never */
    public void setRetryDeadline(@Nullable String retryDeadline) {
        this.retryDeadline = retryDeadline;
    }

    /** The most attempts: {@code 3}, or {@code none}. */
    public @Nullable String getRetryAttempts() {
        return retryAttempts;
    }

    /** @param retryAttempts the most attempts: {@code 3}, or {@code none} */
    public void setRetryAttempts(@Nullable String retryAttempts) {
        this.retryAttempts = retryAttempts;
    }

    /** The longest pause before the second attempt: {@code 200ms}. */
    public @Nullable String getRetryDelay() {
        return retryDelay;
    }

    /** @param retryDelay the longest pause before the second attempt: {@code 200ms} */
    public void setRetryDelay(@Nullable String retryDelay) {
        this.retryDelay = retryDelay;
    }

    /** The longest pause before any attempt, but for the one after giving way: {@code 10s}. */
    public @Nullable String getRetryMaxDelay() {
        return retryMaxDelay;
    }

    /** @param retryMaxDelay the longest pause before any attempt: {@code 10s} */
    public void setRetryMaxDelay(@Nullable String retryMaxDelay) {
        this.retryMaxDelay = retryMaxDelay;
    }

    /** How long others may wait behind a waiting migration: {@code 200ms}, or {@code none}. */
    public @Nullable String getMaxBlockedTime() {
        return maxBlockedTime;
    }

    /** @param maxBlockedTime how long others may wait behind a waiting migration: {@code 200ms}, or {@code none} */
    public void setMaxBlockedTime(@Nullable String maxBlockedTime) {
        this.maxBlockedTime = maxBlockedTime;
    }

    /** How many may queue behind a waiting migration: {@code 5}, or {@code none}. */
    public @Nullable String getMaxVictims() {
        return maxVictims;
    }

    /** @param maxVictims how many may queue behind a waiting migration: {@code 5}, or {@code none} */
    public void setMaxVictims(@Nullable String maxVictims) {
        this.maxVictims = maxVictims;
    }

    /** What happens to blockers: {@code off}, {@code report}, {@code cancel}, {@code terminate}. */
    public @Nullable String getPrioritize() {
        return prioritize;
    }

    /** @param prioritize what happens to blockers: {@code off}, {@code report}, {@code cancel}, {@code terminate} */
    public void setPrioritize(@Nullable String prioritize) {
        this.prioritize = prioritize;
    }

    /** Blocked this long before anything is signalled: {@code 1s}. */
    public @Nullable String getPrioritizeAfter() {
        return prioritizeAfter;
    }

    /** @param prioritizeAfter blocked this long before anything is signalled: {@code 1s} */
    public void setPrioritizeAfter(@Nullable String prioritizeAfter) {
        this.prioritizeAfter = prioritizeAfter;
    }

    /** Between a cancel and the terminate that follows: {@code 2s}. */
    public @Nullable String getPrioritizeGrace() {
        return prioritizeGrace;
    }

    /** @param prioritizeGrace between a cancel and the terminate that follows: {@code 2s} */
    public void setPrioritizeGrace(@Nullable String prioritizeGrace) {
        this.prioritizeGrace = prioritizeGrace;
    }

    /** Blockers whose transaction is younger are spared: {@code 30s}, or {@code none}. */
    public @Nullable String getPrioritizeMinAge() {
        return prioritizeMinAge;
    }

    /** @param prioritizeMinAge blockers whose transaction is younger are spared: {@code 30s}, or {@code none} */
    public void setPrioritizeMinAge(@Nullable String prioritizeMinAge) {
        this.prioritizeMinAge = prioritizeMinAge;
    }

    /** Application or role names, separated by commas, that are never signalled. */
    public @Nullable String getProtect() {
        return protect;
    }

    /** @param protect application or role names, separated by commas, that are never signalled */
    public void setProtect(@Nullable String protect) {
        this.protect = protect;
    }

    /** How often the watch looks: {@code 50ms}. */
    public @Nullable String getPollInterval() {
        return pollInterval;
    }

    /** @param pollInterval how often the watch looks: {@code 50ms} */
    public void setPollInterval(@Nullable String pollInterval) {
        this.pollInterval = pollInterval;
    }

    /** JDBC URL of the side connection. */
    public @Nullable String getMonitorUrl() {
        return monitorUrl;
    }

    /** @param monitorUrl JDBC URL of the side connection */
    public void setMonitorUrl(@Nullable String monitorUrl) {
        this.monitorUrl = monitorUrl;
    }

    /** Role of the side connection. */
    public @Nullable String getMonitorUser() {
        return monitorUser;
    }

    /** @param monitorUser role of the side connection */
    public void setMonitorUser(@Nullable String monitorUser) {
        this.monitorUser = monitorUser;
    }

    /** Its password; never logged. */
    public @Nullable String getMonitorPassword() {
        return monitorPassword;
    }

    /** @param monitorPassword its password; never logged */
    public void setMonitorPassword(@Nullable String monitorPassword) {
        this.monitorPassword = monitorPassword;
    }

    /** Whether a migration without a usable side connection is refused: {@code true} or {@code false}. */
    public @Nullable String getMonitorRequired() {
        return monitorRequired;
    }

    /** @param monitorRequired whether a migration without a usable side connection is refused: {@code true} or {@code false} */
    public void setMonitorRequired(@Nullable String monitorRequired) {
        this.monitorRequired = monitorRequired;
    }

    /** A file that gets a line for each migration, or {@code none}. */
    public @Nullable String getReport() {
        return report;
    }

    /** @param report a file that gets a line for each migration, or {@code none} */
    public void setReport(@Nullable String report) {
        this.report = report;
    }
}
