// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.text.MessageFormat;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.Locale;
import java.util.Optional;
import java.util.ResourceBundle;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What the agent says, a line for each message: {@code 2026-11-26T06:40:57.123Z [pglock] WARN  message}. It goes to the
 * process's own error stream, whatever the application has set {@code System.err} to, or to a file. It asks for no logging
 * system: that would start the application's before the application does. It never throws. Thread-safe.
 */
final class AgentLog implements System.Logger {

    /** What is said at all. */
    enum Threshold {
        OFF(Level.OFF),
        ERROR(Level.ERROR),
        WARN(Level.WARNING),
        INFO(Level.INFO),
        /** With the stack trace of what has failed. */
        DEBUG(Level.DEBUG);

        private final Level level;

        Threshold(Level level) {
            this.level = level;
        }

        /** As the setting {@code log} spells it. */
        String key() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final DateTimeFormatter TIME =
            new DateTimeFormatterBuilder().appendInstant(3).toFormatter(Locale.ROOT);

    /** A program that says something new for ever is not worth all its memory. */
    private static final int MOST_OCCASIONS = 10_000;

    private final Threshold threshold;
    private final PrintStream out;
    private final Set<String> said = ConcurrentHashMap.newKeySet();

    /** For those who have a stream of their own. */
    AgentLog(Threshold threshold, PrintStream out) {
        this.threshold = threshold;
        this.out = out;
    }

    /** A log on the error stream, or in a file; where that cannot be written, on the error stream, saying so. */
    static AgentLog to(Threshold threshold, Optional<Path> file) {
        AgentLog stderr = new AgentLog(threshold, stderr());
        if (file.isEmpty()) {
            return stderr;
        }
        try {
            return new AgentLog(
                    threshold,
                    new PrintStream(
                            Files.newOutputStream(file.get(), StandardOpenOption.CREATE, StandardOpenOption.APPEND),
                            true,
                            StandardCharsets.UTF_8));
        } catch (IOException e) {
            stderr.warn("logFile=" + file.get() + " cannot be written; the log goes to the error stream", e);
            return stderr;
        }
    }

    private static PrintStream stderr() {
        return new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
    }

    void error(String message, Throwable failure) {
        say(Level.ERROR, message, failure);
    }

    void error(String message) {
        say(Level.ERROR, message, null);
    }

    void warn(String message, Throwable failure) {
        say(Level.WARNING, message, failure);
    }

    void warn(String message) {
        say(Level.WARNING, message, null);
    }

    void info(String message) {
        say(Level.INFO, message, null);
    }

    void debug(String message) {
        say(Level.DEBUG, message, null);
    }

    /**
     * A warning that is given once, however often there is occasion for it.
     *
     * @param occasion what the warning is about, such as a class and method
     * @return whether this was the first time
     */
    boolean warnOnce(String occasion, String message) {
        boolean first = isFirst(occasion);
        if (first) {
            say(Level.WARNING, message, null);
        }
        return first;
    }

    /** The same, about something that has failed. */
    boolean warnOnce(String occasion, String message, Throwable failure) {
        boolean first = isFirst(occasion);
        if (first) {
            say(Level.WARNING, message, failure);
        }
        return first;
    }

    private boolean isFirst(String occasion) {
        return said.size() < MOST_OCCASIONS && said.add(occasion);
    }

    @Override
    public String getName() {
        return "pglock";
    }

    @Override
    public boolean isLoggable(Level level) {
        // TRACE is the finest that System.Logger has, DEBUG the finest that the agent has.
        Level asked = level == Level.TRACE ? Level.DEBUG : level;
        return asked != Level.OFF && asked.compareTo(threshold.level) >= 0;
    }

    @Override
    public void log(
            Level level, @Nullable ResourceBundle bundle, @Nullable String message, @Nullable Throwable thrown) {
        say(level, String.valueOf(message), thrown);
    }

    @Override
    public void log(
            Level level,
            @Nullable ResourceBundle bundle,
            @Nullable String format,
            @Nullable Object @Nullable ... values) {
        if (!isLoggable(level)) {
            return;
        }
        String text = String.valueOf(format);
        if (values != null && values.length > 0) {
            try {
                text = MessageFormat.format(text, values);
            } catch (RuntimeException e) {
                // The message is worth more than what should have stood in it.
            }
        }
        say(level, text, null);
    }

    @SuppressWarnings("CatchingUnchecked") // whatever fails here, the application goes on
    private void say(Level level, String message, @Nullable Throwable failure) {
        if (!isLoggable(level)) {
            return;
        }
        try {
            out.print(line(level, message, failure));
            out.flush();
        } catch (Exception | StackOverflowError | LinkageError e) {
            // There is nobody left to tell.
        }
    }

    private String line(Level level, String message, @Nullable Throwable failure) {
        StringBuilder line = new StringBuilder(message.length() + 64);
        TIME.formatTo(Instant.now(), line);
        line.append(" [pglock] ").append(name(level)).append(oneLine(message));
        if (failure != null) {
            line.append(" (").append(oneLine(String.valueOf(failure))).append(')');
        }
        line.append(System.lineSeparator());
        if (failure != null && threshold == Threshold.DEBUG) {
            StringWriter trace = new StringWriter();
            failure.printStackTrace(new PrintWriter(trace));
            line.append(trace);
        }
        return line.toString();
    }

    /** A switch would be a class of its own, and what is to be said may be that no class can be read any more. */
    private static String name(Level level) {
        if (level == Level.ERROR) {
            return "ERROR ";
        }
        if (level == Level.WARNING) {
            return "WARN  ";
        }
        return level == Level.INFO ? "INFO  " : "DEBUG ";
    }

    private static String oneLine(String message) {
        return message.indexOf('\n') < 0 && message.indexOf('\r') < 0 ? message : message.replaceAll("\\R\\s*", " ");
    }
}
