// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/** Where the command reads and writes: results to its output, all that is about the work to its error output. UTF-8. Not API. */
public final class Console {

    /** Which of the file descriptors 0, 1 and 2 are terminals: the launcher knows, the JDK does not on every version. */
    private static final String TERMINALS = System.getProperty("pglock.terminals", "");

    private final InputStream in;
    private final Results results;
    private final PrintStream out;
    private final PrintStream err;

    private Console(InputStream in, OutputStream out, OutputStream err) {
        this.in = in;
        this.results = new Results(out);
        this.out = new PrintStream(new BufferedOutputStream(results, 1 << 14), false, StandardCharsets.UTF_8);
        this.err = new PrintStream(err, true, StandardCharsets.UTF_8);
    }

    /** The three of this process. */
    public static Console ofProcess() {
        return new Console(
                new FileInputStream(FileDescriptor.in),
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err));
    }

    /** Whether somebody can answer a question. */
    public boolean asksPerson() {
        return TERMINALS.contains("0") && TERMINALS.contains("2");
    }

    /** Whether a person sees the output, and not a file or another program. */
    public boolean showsPerson() {
        return TERMINALS.contains("1");
    }

    /** How wide the terminal was when the command started; empty where the output is none. */
    public OptionalInt columns() {
        int columns = Integer.getInteger("pglock.columns", 0);
        return columns > 0 && showsPerson() ? OptionalInt.of(columns) : OptionalInt.empty();
    }

    /** One line of the result. */
    public void line(String text) {
        out.println(text);
    }

    /** What has been written so far is seen now. @throws Stop when nobody reads it any more, or it cannot be written */
    public void flush() {
        if (out.checkError()) {
            throw results.failed()
                    .filter(why -> !isClosedPipe(why))
                    .map(why -> new Stop(ExitCode.NOT_WRITTEN, "the output cannot be written: " + why))
                    .orElseGet(() -> new Stop(ExitCode.CLOSED_PIPE, "nobody reads the output any more"));
        }
    }

    /** The system's own words for EPIPE are all that Java tells, in whatever language they are. */
    private static boolean isClosedPipe(String why) {
        return why.toLowerCase(Locale.ROOT).contains("pipe");
    }

    /** For results that are written piece by piece. */
    public PrintStream out() {
        return out;
    }

    /** A word about the work, to the error output: {@code pglock: ...}. What others wrote, as a query, may be a part of it. */
    public void say(String message) {
        err.println("pglock: " + Printable.lines(message));
    }

    /** As it is, to the error output. */
    public PrintStream err() {
        return err;
    }

    /** Asks, and waits for a line of the input; empty at its end, and where it cannot be read. */
    public Optional<String> ask(String question) {
        flush();
        err.print(question);
        err.flush();
        try {
            return Optional.ofNullable(
                    new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)).readLine());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Remembers why nothing more could be written: a {@link PrintStream} only knows that it was so. */
    private static final class Results extends FilterOutputStream {

        private Optional<String> failed = Optional.empty();

        Results(OutputStream out) {
            super(out);
        }

        Optional<String> failed() {
            return failed;
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            try {
                out.write(bytes, offset, length);
            } catch (IOException e) {
                failed = failed.or(() -> Optional.ofNullable(e.getMessage()));
                throw e;
            }
        }
    }
}
