// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.watch;

import io.pglock.cli.internal.ExitCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jline.keymap.BindingReader;
import org.jline.keymap.KeyMap;
import org.jline.terminal.Terminal;
import org.jline.utils.NonBlockingReader;

/** Shows what a {@link Lookout} sees on the full screen, and does what the keys say, until somebody has enough of it. For one thread. */
final class WatchLoop {

    private static final long TICK = 100;
    private static final int INTERRUPT = 2;
    /** A bit longer than it takes to notice that the server is silent. */
    private static final long LONGEST_GOODBYE_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final FullScreen full;
    private final Lookout lookout;
    private final Screen screen;
    private final Painter painter;
    private final AtomicBoolean interrupted = new AtomicBoolean();
    private final AtomicBoolean resized = new AtomicBoolean();

    WatchLoop(FullScreen full, Lookout lookout, Screen screen, Painter painter) {
        this.full = full;
        this.lookout = lookout;
        this.screen = screen;
        this.painter = painter;
    }

    /** @return the exit code */
    int run() throws Exception {
        Terminal terminal = full.terminal();
        terminal.handle(Terminal.Signal.INT, signal -> interrupted.set(true));
        terminal.handle(Terminal.Signal.WINCH, signal -> resized.set(true));
        terminal.handle(Terminal.Signal.TSTP, Terminal.SignalHandler.SIG_IGN); // a shell in the middle of a screen
        BindingReader keys = new BindingReader(terminal.reader());
        KeyMap<Action> bindings = Action.keys(terminal);
        String shown = "";
        boolean changed = true;
        while (true) {
            requireWorking();
            if (interrupted.get()) {
                return leave(ExitCode.SIGNALLED + INTERRUPT);
            }
            if (resized.getAndSet(false)) {
                full.redraw();
                changed = true;
            }
            boolean seen = screen.look();
            changed |= seen || !shown.equals(screen.message());
            if (changed) {
                shown = screen.message();
                full.show(painter.paint(screen, full.size()), full.size());
            }
            changed = key(terminal, keys, bindings);
            if (screen.isOver()) {
                return leave(ExitCode.OK);
            }
        }
    }

    private void requireWorking() throws Exception {
        Throwable failure = lookout.failure().orElse(null);
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure instanceof Exception exception) {
            throw exception;
        }
    }

    /** Not before it is known what came of what was sent: whoever says yes and quits means both. */
    private int leave(int code) throws Exception {
        if (screen.isSending()) {
            interrupted.set(false);
            long began = System.nanoTime();
            while (screen.isSending() && !interrupted.get() && System.nanoTime() - began < LONGEST_GOODBYE_NANOS) {
                screen.waitForOutcome();
                full.show(painter.paint(screen, full.size()), full.size());
                ignoreKey();
            }
            requireWorking();
        }
        return code;
    }

    /** Waits a moment. Ctrl-c is noticed only where keys are read. */
    private void ignoreKey() throws IOException {
        NonBlockingReader reader = full.terminal().reader();
        int next = reader.peek(TICK);
        if (next == NonBlockingReader.EOF) {
            interrupted.set(true);
        } else if (next != NonBlockingReader.READ_EXPIRED) {
            reader.read();
        }
    }

    /** Waits a moment for a key. @return whether there was one */
    private boolean key(Terminal terminal, BindingReader keys, KeyMap<Action> bindings) {
        try {
            int next = terminal.reader().peek(TICK);
            if (next == NonBlockingReader.READ_EXPIRED) {
                return false;
            }
            if (next == NonBlockingReader.EOF) {
                interrupted.set(true); // the terminal is gone
            } else if (screen.readsText()) {
                screen.type(keys.readCharacter());
            } else {
                screen.act(keys.readBinding(bindings, null, false));
            }
            return true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
