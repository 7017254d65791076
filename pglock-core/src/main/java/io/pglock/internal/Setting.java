// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * pglock's vocabulary: each setting's name, default, meaning and spelling, once for every host and for the manual
 * (docs/settings.md is compared with it). Not API.
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
    RETRY_DEADLINE(
            Spelling.LIMIT_OR_ZERO,
            "retryDeadline",
            "10m",
            "How long a unit keeps trying after its first lock timeout, deadlock or giving way; when it is over, one last"
                    + " attempt is made. Ten minutes outlast most reports and backups, and a release can wait for that."
                    + " `none`: for ever; `0s`: never again."),
    RETRY_ATTEMPTS(
            Spelling.COUNT,
            "retryAttempts",
            "none",
            "A bound on the number of attempts as well; `1`: no second one. None, because time is what matters."),
    RETRY_DELAY(
            Spelling.INTERVAL,
            "retryDelay",
            "200ms",
            "Longest pause before the second attempt, holding no lock; doubled before each further one, and shortened at"
                    + " random so that no two migrations stay in step. It ends early when the blockers that were seen are"
                    + " gone. Short, because most are gone soon."),
    RETRY_MAX_DELAY(
            Spelling.INTERVAL,
            "retryMaxDelay",
            "10s",
            "What the pause is never longer than, however many attempts there were, but for the one after giving way: that lasts"
                    + " while those in the way are seen, within what is left of `retryDeadline`. Ten seconds, so that a blocker"
                    + " that nobody can see costs no more than that."),
    MAX_BLOCKED_TIME(
            Spelling.LIMIT_OR_ZERO,
            "maxBlockedTime",
            "200ms",
            "Give way: cancel the unit's own waiting statement, and try again when the blockers are gone, before somebody has"
                    + " lost more than this to it, over all its attempts of late. At once behind a transaction that is older"
                    + " than this. Shorter than what a user notices. `none`: whoever comes along waits up to"
                    + " `lockTimeout`."),
    MAX_VICTIMS(
            Spelling.COUNT_OR_ZERO,
            "maxVictims",
            "none",
            "Give way as well when more sessions than this queue behind the unit. None, because ten readers that wait for"
                    + " 50ms are no harm."),
    PRIORITIZE(
            Spelling.PRIORITY,
            "prioritize",
            "report",
            "What happens to a session that blocks the work: `off` (nobody looks), `report` (it is named), `cancel` (its"
                    + " statement is cancelled) or `terminate` (a running statement is cancelled first, the session terminated"
                    + " if it still blocks after `prioritizeGrace`; a session that has idled for as long as `prioritizeAfter` is"
                    + " terminated at once). `report`,"
                    + " because only you know who may be killed."),
    PRIORITIZE_AFTER(
            Spelling.PAUSE,
            "prioritizeAfter",
            "1s",
            "Blocked this long, pauses between attempts included, before anything is signalled: most blockers are gone by"
                    + " then."),
    PRIORITIZE_GRACE(
            Spelling.PAUSE,
            "prioritizeGrace",
            "2s",
            "Between a cancel and the terminate that follows it (`prioritize=terminate`), also while the unit pauses before"
                    + " its next attempt: two seconds are enough to roll back, and to notice."),
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
            "How often the watch looks, and only at work that has been running for longer than this. It spends at most a fifth"
                    + " of the time looking: where a look takes 100ms there is one each 500ms, and `maxBlockedTime` is kept no"
                    + " closer than that."),
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
                    + " unwatched."),
    REPORT(
            Spelling.FILE,
            "report",
            "none",
            "A file that gets one JSON line for each unit: attempts, waits, blockers, actions, victims, and the locks that a"
                    + " transaction took. Its folder must exist. None: the log says what people need.");

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

    /** Whether a line that cannot be taken apart may hold a password: as a setting, however it is spelt, or in a URL. */
    public static boolean isSecretIn(String line) {
        String lower = line.toLowerCase(Locale.ROOT);
        return lower.contains("passw") || lower.contains("pasw") || lower.contains("jdbc:");
    }

    /** The default as a value; empty where the setting is absent unless given. */
    public Optional<Object> defaultValue() {
        return defaultText.isEmpty() ? Optional.empty() : Optional.of(spelling.read(defaultText));
    }

    /** @throws IllegalArgumentException naming the key, the value and the right form */
    public Object read(String text) {
        return readAs(key, text);
    }

    /**
     * The value of a host's own key that is spelt as this one is.
     *
     * @throws IllegalArgumentException naming the host's key, the value and the right form
     */
    public Object readAs(String hostsKey, String text) {
        return explaining(hostsKey, text, () -> spelling.read(text.strip()));
    }

    /**
     * A value that came from code and not from a text, held to the same bounds.
     *
     * @throws IllegalArgumentException naming the key, the value and the right form
     */
    public <T> T checked(T value) {
        String text = spelling.write(value);
        explaining(key, text, () -> spelling.read(text));
        return value;
    }

    public String write(Object value) {
        return spelling.write(value);
    }

    private Object explaining(String named, String text, Supplier<Object> reading) {
        try {
            return reading.get();
        } catch (IllegalArgumentException e) {
            String shown = secret() || spelling == Spelling.URL ? named : named + "=" + text;
            throw new IllegalArgumentException(shown + ": " + e.getMessage(), e);
        }
    }

    /** @throws IllegalArgumentException saying what was probably meant */
    public static Setting named(String key) {
        for (Setting setting : values()) {
            if (setting.key.equals(key)) {
                return setting;
            }
        }
        throw new IllegalArgumentException("there is no setting " + key + ". "
                + nearest(key).map(near -> "Did you mean " + near + "? ").orElse("")
                + "Available are: " + keys());
    }

    /** The key that was probably meant, if there is one much like this. */
    public static Optional<String> nearest(String key) {
        return nearest(key, Arrays.stream(values()).map(Setting::key).toList());
    }

    /** The one of these that was probably meant, if there is one much like this. */
    public static Optional<String> nearest(String text, List<String> known) {
        return Spelling.nearest(text, known);
    }

    private static String keys() {
        return Arrays.stream(values()).map(Setting::key).collect(Collectors.joining(", "));
    }
}
