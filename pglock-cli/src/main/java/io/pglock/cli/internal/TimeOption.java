// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.LockPolicy;
import io.pglock.cli.internal.select.TimeText;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A duration that is an option's value: written as in a filter, and within its bounds. Stateless. Not API. */
public final class TimeOption {

    private TimeOption() {}

    /** @throws Stop when it is no duration, or shorter than that */
    public static Duration read(String option, String text, Duration least) {
        Duration duration;
        try {
            duration = TimeText.duration(text);
        } catch (IllegalArgumentException e) {
            throw wrong(option, text, String.valueOf(e.getMessage()));
        }
        if (duration.compareTo(least) < 0) {
            throw wrong(option, text, "is too short; at least " + written(least));
        }
        return duration;
    }

    /** @throws Stop when it is no duration, or out of these bounds */
    static Duration read(String option, String text, Duration least, Duration most) {
        Duration duration = read(option, text, least);
        if (duration.compareTo(most) > 0) {
            throw wrong(option, text, "is too long; at most " + most.toDays() + "d");
        }
        return duration;
    }

    /**
     * These settings with what {@code --lock-timeout} says, in the words of the setting.
     *
     * @param text null where the option is not there
     * @throws Stop when it is not in the right form
     */
    static LockPolicy lockTimeout(LockPolicy others, @Nullable String text) {
        try {
            return text == null ? others : others.with(Map.of("lockTimeout", text));
        } catch (IllegalArgumentException e) {
            throw Stop.usage(String.valueOf(e.getMessage()).replaceFirst("^pglock: lockTimeout", "--lock-timeout"));
        }
    }

    private static String written(Duration duration) {
        return duration.isZero() ? "0s" : duration.toMillis() + "ms";
    }

    private static Stop wrong(String option, String text, String why) {
        return Stop.usage(option + " " + text + " " + why);
    }
}
