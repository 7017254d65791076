// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import io.pglock.cli.internal.Console;
import io.pglock.cli.internal.Stop;
import io.pglock.cli.internal.TimeOption;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;

/**
 * Shows something again and again: on a terminal in the place of what was there, elsewhere below it. For one use. Not API.
 */
public final class Refresh {

    private static final Duration SHORTEST = Duration.ofMillis(100);

    /** Shows it once. */
    @FunctionalInterface
    public interface Showing {

        /** @param again whether it was shown before */
        void show(boolean again) throws SQLException;
    }

    private final Duration pause;
    private final Console console;

    private Refresh(Duration pause, Console console) {
        this.pause = pause;
        this.console = console;
    }

    /**
     * Not begun yet.
     *
     * @param option whose value it is how often
     * @throws Stop when that is no duration, or too short
     */
    public static Refresh every(String option, String text, Console console) {
        return new Refresh(TimeOption.read(option, text, SHORTEST), console);
    }

    /** Between two readings. */
    public Duration pause() {
        return pause;
    }

    /**
     * Shows it until the process is ended.
     *
     * @throws SQLException when it cannot be read any more
     */
    public void forEver(Showing showing) throws SQLException {
        times(Long.MAX_VALUE, showing);
    }

    /**
     * Shows it so often.
     *
     * @throws SQLException when it cannot be read any more
     */
    public void times(long times, Showing showing) throws SQLException {
        try {
            for (long shown = 0; shown < times; shown++) {
                if (shown > 0) {
                    Thread.sleep(pause.toMillis());
                }
                showing.show(shown > 0);
                console.flush();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** What empties this terminal, which terminfo knows; nothing where it is not installed. */
    public static String clear() {
        try {
            Process tput = new ProcessBuilder("tput", "clear")
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return new String(tput.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }
}
