// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.LockPolicy;
import io.pglock.internal.Durations;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What a method gets. Immutable and thread-safe.
 *
 * @param settings LockPolicy's, as they are written, and whatever must be said to have in force what is meant: {@code
 *     LockPolicy.parse} of them, where there is a driver, is the policy
 * @param advisory the advisory lock under which it runs
 * @param table the tables that are locked in its transactions
 * @param onTimeout what happens when one of these is not acquired
 * @param skipValue what a method that is skipped returns, to be read as its return type says
 * @param doneOnReturn whether it is known to be done when it returns, also where its type leaves that open
 */
public record Spec(
        Map<String, String> settings,
        Optional<Advisory> advisory,
        Optional<Table> table,
        OnTimeout onTimeout,
        Optional<String> skipValue,
        boolean doneOnReturn) {

    /** What happens when a lock is not acquired in time. */
    public enum OnTimeout {
        /** The method throws. */
        RAISE,
        /** The method returns without having run. */
        SKIP
    }

    /** What is in force where nothing is said. */
    enum Base {
        /** Of a method that is named in configuration: LockPolicy's defaults. */
        TARGET(Map.of()),
        /** Of a method that carries annotations: nothing but what they say. */
        ANNOTATIONS(Map.of("lockTimeout", "none", "prioritize", "off"));

        private final Map<String, String> settings;

        Base(Map<String, String> settings) {
            this.settings = settings;
        }

        Map<String, String> settings() {
            return settings;
        }
    }

    /**
     * An advisory lock.
     *
     * @param key a name, a number, two numbers ({@code 7:42}), or nothing for {@code <class>.<method>}
     * @param shared whether others may hold it in the same mode at once
     * @param xact whether it belongs to the transactions of the method and not to the call
     * @param timeout how long is waited for it; zero for not at all, empty for ever
     */
    public record Advisory(String key, boolean shared, boolean xact, Optional<Duration> timeout) {}

    /**
     * A lock on tables.
     *
     * @param tables as they are written, each right for {@code TableName.parse}
     * @param mode in PostgreSQL's words: {@code ACCESS EXCLUSIVE}
     * @param timeout how long is waited for it; empty for as long as the lock timeout in force says
     * @param nowait not at all
     */
    public record Table(List<String> tables, String mode, Optional<Duration> timeout, boolean nowait) {
        public Table {
            tables = List.copyOf(tables);
        }
    }

    /** Of a method that is only there to be refused, and of a target that is switched off. */
    static final Spec NOTHING = new Spec(
            Map.of("enabled", "false"), Optional.empty(), Optional.empty(), OnTimeout.RAISE, Optional.empty(), false);

    public Spec {
        settings = Map.copyOf(settings);
    }

    /**
     * What a target of the configuration says.
     *
     * @param keys without {@code target}
     * @throws IllegalArgumentException naming every mistake
     */
    static Spec parse(Map<String, String> keys) {
        return parse(keys, Base.TARGET);
    }

    /**
     * The same on another base.
     *
     * @throws IllegalArgumentException naming every mistake
     */
    static Spec parse(Map<String, String> keys, Base base) {
        return SpecReading.read(keys, base);
    }

    /** Whether there is a lock to be taken. */
    public boolean locks() {
        return advisory.isPresent() || table.isPresent();
    }

    /** Whether there is one that no connection of the method's holds, so that it can be taken before it begins. */
    public boolean locksBefore() {
        return advisory.filter(lock -> !lock.xact()).isPresent();
    }

    /** Whether the method returns without having run where a lock is not to be had. */
    public boolean skips() {
        return onTimeout == OnTimeout.SKIP;
    }

    /** Whether it needs to know when the method is done, on whatever thread. */
    boolean outlivesItsThread() {
        return locks() || !"off".equals(settings.getOrDefault("prioritize", "report"));
    }

    /** Whether the whole method is tried again, because that is asked for. */
    public boolean retries() {
        LockPolicy retrying = LockPolicy.parse(settings.entrySet().stream()
                .filter(setting -> setting.getKey().startsWith("retry"))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)));
        return retrying.retryDeadline().filter(Duration::isZero).isEmpty()
                && retrying.retryAttempts().filter(most -> most == 1).isEmpty();
    }

    /** Never a password. */
    @Override
    public String toString() {
        return "Spec[" + described() + "]";
    }

    /** In the words of the configuration; never a password. */
    String described() {
        StringBuilder text = new StringBuilder(Keys.shown(new TreeMap<>(settings)));
        advisory.ifPresent(lock -> text.append(" advisory=")
                .append(lock.key().isEmpty() ? "true" : lock.key())
                .append(lock.shared() ? " advisoryShared=true" : "")
                .append(lock.xact() ? " advisoryXact=true" : "")
                .append(lock.timeout()
                        .map(timeout -> " advisoryTimeout=" + Durations.text(timeout))
                        .orElse("")));
        table.ifPresent(lock -> text.append(" table=")
                .append(String.join(",", lock.tables()))
                .append(" tableMode=")
                .append(lock.mode().toLowerCase(Locale.ROOT))
                .append(lock.nowait() ? " tableTimeout=nowait" : "")
                .append(lock.timeout()
                        .map(timeout -> " tableTimeout=" + Durations.text(timeout))
                        .orElse("")));
        if (onTimeout == OnTimeout.SKIP) {
            text.append(" onTimeout=skip");
        }
        skipValue.ifPresent(value -> text.append(" skipValue=").append(value));
        text.append(doneOnReturn ? " doneOnReturn=true" : "");
        return text.toString().strip();
    }
}
