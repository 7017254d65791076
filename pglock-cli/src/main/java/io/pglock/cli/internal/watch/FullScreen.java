// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.watch;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOError;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.jline.terminal.Attributes;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.AttributedString;
import org.jline.utils.Curses;
import org.jline.utils.Display;
import org.jline.utils.InfoCmp.Capability;

/**
 * A terminal taken over from end to end, and given back as it was: when this is closed, and when the process is told to end. Thread-safe.
 */
final class FullScreen implements AutoCloseable {

    private final Terminal terminal;
    private final Attributes before;

    /** What makes the terminal look as it did. */
    private final String farewell;

    private final Display display;
    private final Thread atTheEnd = new Thread(this::restore, "pglock-restore");
    private boolean over;

    private FullScreen(Terminal terminal) {
        this.terminal = terminal;
        this.before = terminal.enterRawMode();
        this.farewell = sequences(terminal, Capability.exit_ca_mode, Capability.keypad_local, Capability.cursor_normal);
        this.display = new Display(terminal, true);
        terminal.puts(Capability.enter_ca_mode);
        terminal.puts(Capability.keypad_xmit);
        terminal.puts(Capability.cursor_invisible);
        terminal.puts(Capability.clear_screen);
        terminal.flush();
        Runtime.getRuntime().addShutdownHook(atTheEnd);
    }

    /** Empty where it is no terminal, or one that cannot move its cursor. */
    static Optional<FullScreen> open() {
        try {
            Terminal terminal = TerminalBuilder.builder()
                    .system(true)
                    .dumb(true)
                    .nativeSignals(true)
                    .encoding(StandardCharsets.UTF_8)
                    .name("pglock")
                    .build();
            if (terminal.getType().startsWith("dumb")
                    || terminal.getStringCapability(Capability.cursor_address) == null) {
                terminal.close();
                return Optional.empty();
            }
            return Optional.of(new FullScreen(terminal));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Terminal terminal() {
        return terminal;
    }

    Size size() {
        Size size = terminal.getSize();
        return size.getColumns() > 0 && size.getRows() > 0 ? size : Size.of(80, 24);
    }

    /** Shows these lines, from the top. */
    synchronized void show(List<AttributedString> lines, Size size) {
        if (!over) {
            display.resize(size);
            display.update(lines, 0);
            terminal.flush();
        }
    }

    /** Draws all of it anew next time, not only what has changed. */
    synchronized void redraw() {
        display.clear();
    }

    private synchronized void restore() {
        if (over) {
            return;
        }
        over = true;
        try {
            terminal.writer().write(farewell);
            terminal.flush();
            terminal.setAttributes(before);
        } catch (IllegalStateException | IOError e) {
            // at the end of the JVM JLine may have closed it before, which gives back its settings and nothing else
            sayFarewell();
        }
    }

    private void sayFarewell() {
        try (FileOutputStream out = new FileOutputStream(FileDescriptor.out)) {
            out.write(farewell.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String sequences(Terminal terminal, Capability... capabilities) {
        StringBuilder text = new StringBuilder();
        for (Capability capability : capabilities) {
            String sequence = terminal.getStringCapability(capability);
            if (sequence != null) {
                Curses.tputs(text, sequence);
            }
        }
        return text.toString();
    }

    @Override
    public void close() {
        restore();
        try {
            Runtime.getRuntime().removeShutdownHook(atTheEnd);
        } catch (IllegalStateException e) {
            return; // it is at its end already, and closes nothing that somebody reads from
        }
        try {
            terminal.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
