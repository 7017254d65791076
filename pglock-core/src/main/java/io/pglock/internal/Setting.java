// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * pglock's vocabulary: each setting's name, default, meaning and spelling, once for every host and for the manual
 * (docs/settings.md is compared with it). A setting appears here in the version in which it works. Not API.
 */
public enum Setting {
    ENABLED(
            Spelling.FLAG,
            "enabled",
            "true",
            "`false` makes pglock inert: nothing is set, nothing is watched. The jar's presence is the opt-in."),
    LOCK_TIMEOUT(
            Spelling.LIMIT,
            "lockTimeout",
            "2s",
            "Longest wait for one lock. Longer than PostgreSQL's `deadlock_timeout` (1s) on purpose: a shorter wait never"
                    + " gets past a running autovacuum, which gives way only after that. `none`: what the session, its role or"
                    + " its database has stays in force."),
    STATEMENT_TIMEOUT(
            Spelling.LIMIT,
            "statementTimeout",
            "none",
            "Longest run of one statement, waits included. None, because a rewrite of a big table may rightly take hours."
                    + " `none`: what the session, its role or its database has stays in force."),
    CONCURRENT_LOCK_TIMEOUT(
            Spelling.LIMIT,
            "concurrentLockTimeout",
            "none",
            "Used instead of `lockTimeout` by statements that say `CONCURRENTLY` and run outside a transaction: they block"
                    + " nobody while they wait, and a timeout leaves an invalid index behind. `none`: they wait as long as it"
                    + " takes, whatever the session has."),
    PRIORITIZE(
            Spelling.PRIORITY,
            "prioritize",
            "report",
            "What happens to a session that blocks the work: `off` (nobody looks), `report` (it is named), `cancel` (its"
                    + " statement is cancelled) or `terminate` (a running statement is cancelled first, the session terminated"
                    + " if it still blocks after `prioritizeGrace`; a session that is idle is terminated at once). `report`,"
                    + " because only you know who may be killed."),
    PRIORITIZE_AFTER(
            Spelling.PAUSE,
            "prioritizeAfter",
            "1s",
            "Blocked this long before anything is signalled: most blockers are gone by then. Must be shorter than"
                    + " `lockTimeout` to have an effect."),
    PRIORITIZE_GRACE(
            Spelling.PAUSE,
            "prioritizeGrace",
            "2s",
            "Between a cancel and the terminate that follows it (`prioritize=terminate`). It comes to that only while the work still waits: raise `lockTimeout` above `prioritizeAfter` plus this where blockers ignore a cancel."),
    PRIORITIZE_MIN_AGE(
            Spelling.LIMIT_OR_ZERO,
            "prioritizeMinAge",
            "none",
            "Spare blockers whose transaction is younger than this."),
    PROTECT(
            Spelling.NAMES,
            "protect",
            "pg_dump,pg_basebackup",
            "Application or role names, separated by commas, that are never signalled: a backup that is killed at night is"
                    + " found missing when it is needed. `none` protects nobody."),
    POLL_INTERVAL(
            Spelling.INTERVAL,
            "pollInterval",
            "50ms",
            "How often the watch looks, and only at work that has been running for longer than this."),
    MONITOR_URL(
            Spelling.URL,
            "monitorUrl",
            "",
            "JDBC URL of the side connection through which the watch looks and signals, where the host cannot lend one or a"
                    + " role with more rights should signal. Without it the host's own data source lends one."),
    MONITOR_USER(Spelling.TEXT, "monitorUser", "", "Role of the side connection; only together with `monitorUrl`."),
    MONITOR_PASSWORD(
            Spelling.SECRET, "monitorPassword", "", "Its password; never written to a log, a message or a report."),
    MONITOR_REQUIRED(
            Spelling.FLAG,
            "monitorRequired",
            "false",
            "`true`: work without a usable side connection is refused. `false`: one warning, and the work goes on"
                    + " unwatched.");

    /** Of the design, and not in this version: named so that nobody takes them for a misspelling. */
    private static final Set<String> LATER = Set.of(
            "retryDeadline", "retryAttempts", "retryDelay", "retryMaxDelay", "maxBlockedTime", "maxVictims", "report");

    private final Spelling spelling;
    private final String key;
    private final String defaultText;
    private final String meaning;

    Setting(Spelling spelling, String key, String defaultText, String meaning) {
        this.spelling = spelling;
        this.key = key;
        this.defaultText = defaultText;
        this.meaning = meaning;
    }

    public String key() {
        return key;
    }

    /** The default as it would be written; empty where there is none. */
    public String defaultText() {
        return defaultText;
    }

    /** What it does and why its default is what it is, in Markdown. */
    public String meaning() {
        return meaning;
    }

    public boolean secret() {
        return spelling == Spelling.SECRET;
    }

    /** The default as a value; empty where the setting is absent unless given. */
    public Optional<Object> defaultValue() {
        return defaultText.isEmpty() ? Optional.empty() : Optional.of(spelling.read(defaultText));
    }

    /** @throws IllegalArgumentException naming the key, the value and the right form */
    public Object read(String text) {
        return explaining(text, () -> spelling.read(text.strip()));
    }

    /**
     * A value that came from code and not from a text, held to the same bounds.
     *
     * @throws IllegalArgumentException naming the key, the value and the right form
     */
    public <T> T checked(T value) {
        String text = spelling.write(value);
        explaining(text, () -> spelling.read(text));
        return value;
    }

    public String write(Object value) {
        return spelling.write(value);
    }

    private Object explaining(String text, Supplier<Object> reading) {
        try {
            return reading.get();
        } catch (IllegalArgumentException e) {
            String shown = secret() || spelling == Spelling.URL ? key : key + "=" + text;
            throw new IllegalArgumentException(shown + ": " + e.getMessage(), e);
        }
    }

    /** @throws IllegalArgumentException saying what was probably meant, or that the setting belongs to a later version */
    public static Setting named(String key) {
        for (Setting setting : values()) {
            if (setting.key.equals(key)) {
                return setting;
            }
        }
        if (LATER.contains(key)) {
            throw new IllegalArgumentException(
                    key + " is not available yet in this version of pglock; remove it. Available are: " + keys());
        }
        throw new IllegalArgumentException("there is no setting " + key + ". "
                + Spelling.nearest(
                                key, Arrays.stream(values()).map(Setting::key).toList())
                        .map(near -> "Did you mean " + near + "? ")
                        .orElse("")
                + "Available are: " + keys());
    }

    private static String keys() {
        return Arrays.stream(values()).map(Setting::key).collect(Collectors.joining(", "));
    }
}
