// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

/** Ends the command with a message for whoever typed it. Not API. */
public final class Stop extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final int exitCode;

    /**
     * @param message what, why and the remedy, in one sentence or two
     * @param exitCode one of {@link ExitCode}
     */
    public Stop(int exitCode, String message) {
        super(message, null, false, false);
        this.exitCode = exitCode;
    }

    /** What was typed, or written into a file, is wrong. */
    public static Stop usage(String message) {
        return new Stop(ExitCode.USAGE, message);
    }

    /** The same with more to say. */
    public Stop and(String more) {
        return new Stop(exitCode, getMessage() + more);
    }

    int exitCode() {
        return exitCode;
    }

    /** {@inheritDoc} */
    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
