// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import io.pglock.cli.internal.Console;
import io.pglock.cli.internal.Stop;
import io.pglock.cli.internal.select.TimeText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;

/**
 * Shows something again and again until the process is ended: on a terminal in the place of what was there, elsewhere below it. For
 * one use. Not API.
 */
public final class Refresh {

    private static final Duration SHORTEST = Duration.ofMillis(100);

    /** What is shown. */
    @FunctionalInterface
    public interface Reading {

        /** @param again whether it was shown before */
        List<String> lines(boolean again) throws SQLException;
    }

    private final Duration pause;
    private final boolean forPeople;
    private final Console console;

    private Refresh(Duration pause, boolean forPeople, Console console) {
        this.pause = pause;
        this.forPeople = forPeople;
        this.console = console;
    }

    /**
     * @param text how often, as one writes a duration
     * @param forPeople whether people are meant to read it, who want to know when it was so
     * @throws Stop when that is no duration, or too short
     */
    public static Refresh every(String text, boolean forPeople, Console console) {
        Duration pause;
        try {
            pause = TimeText.duration(text);
        } catch (IllegalArgumentException e) {
            throw Stop.usage("--watch " + text + " " + e.getMessage());
        }
        if (pause.compareTo(SHORTEST) < 0) {
            throw Stop.usage("--watch " + text + " is too often; write at least " + SHORTEST.toMillis() + "ms");
        }
        return new Refresh(pause, forPeople, console);
    }

    /** Does not return. @throws SQLException when it cannot be read any more */
    public void forEver(Reading reading) throws SQLException {
        String clear = forPeople && console.showsPerson() ? clear() : "";
        boolean again = false;
        try {
            while (true) {
                List<String> lines = reading.lines(again);
                if (forPeople) {
                    console.out().print(clear);
                    console.line((again && clear.isEmpty() ? "\n" : "") + now());
                }
                lines.forEach(console::line);
                console.flush();
                again = true;
                Thread.sleep(pause.toMillis());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String now() {
        return DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(
                OffsetDateTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS));
    }

    /** What empties this terminal, which terminfo knows; nothing where it is not installed. */
    private static String clear() {
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
