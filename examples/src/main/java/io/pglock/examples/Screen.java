// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;

/** Where the demo speaks: coloured on a terminal, plain in a pipe or a file, and wherever {@code NO_COLOR} is set. */
final class Screen {

    private static final String BOLD = "1";
    private static final String RED = "31";
    private static final String GREEN = "32";
    private static final String YELLOW = "33";
    private static final String DIM = "2";

    private static final int WIDTH = 140;

    private final PrintStream out;
    private final boolean colours;

    private Screen(PrintStream out, boolean colours) {
        this.out = out;
        this.colours = colours;
    }

    static Screen onStandardOutput() {
        // UTF-8 whatever the platform's default: the lock tree is drawn with box characters.
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        return new Screen(out, isTerminal() && System.getenv("NO_COLOR") == null);
    }

    /** Plain, for a test. */
    static Screen on(PrintStream out) {
        return new Screen(out, false);
    }

    void title(String text) {
        out.println();
        out.println(in(BOLD, text));
    }

    void say(String text) {
        out.println("  " + text);
    }

    void detail(String text) {
        text.lines()
                .map(line -> line.length() <= WIDTH ? line : line.substring(0, WIDTH - 3) + "...")
                .forEach(line -> out.println("  " + in(DIM, "| ") + line));
    }

    void log(String text) {
        out.println("  " + in(YELLOW, text));
    }

    void good(String text) {
        out.println("  " + in(GREEN, text));
    }

    void bad(String text) {
        out.println("  " + in(RED, text));
    }

    private String in(String colour, String text) {
        return colours ? "\u001b[" + colour + "m" + text + "\u001b[0m" : text;
    }

    /** Since JDK 22 there is a console without a terminal too, and a method that tells; before, there is none. */
    @SuppressWarnings("SystemConsoleNull")
    private static boolean isTerminal() {
        Console console = System.console();
        if (console == null) {
            return false;
        }
        try {
            return (boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (NoSuchMethodException e) {
            return true;
        } catch (IllegalAccessException | InvocationTargetException e) {
            return false;
        }
    }
}
