// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

/** What the command tells whoever called it: its own few, then those of {@code sysexits.h}, then the shell's. Not API. */
public final class ExitCode {

    /** Done. */
    public static final int OK = 0;
    /** The command line, a profile or a file given to it is wrong; nothing was done. Or somebody said no when asked. */
    public static final int USAGE = 1;
    /** What was asked for was found: somebody is blocked, a lock is stronger than allowed, something would stop pglock from working. */
    public static final int FOUND = 2;
    /** EX_DATAERR: an SQL statement failed. */
    public static final int SQL = 65;
    /** EX_UNAVAILABLE: the server cannot be reached, or was lost; with it a lock that was held. */
    public static final int UNAVAILABLE = 69;
    /** EX_SOFTWARE: a defect of pglock. */
    public static final int DEFECT = 70;
    /** EX_IOERR: the output cannot be written, as on a full disk. */
    public static final int NOT_WRITTEN = 74;
    /** EX_TEMPFAIL: the lock is taken; later it may not be. */
    public static final int NOT_ACQUIRED = 75;
    /** EX_NOPERM: the role may not. */
    public static final int NOT_PERMITTED = 77;
    /** The command to be run cannot be executed. */
    public static final int NOT_EXECUTABLE = 126;
    /** The command to be run is not there. */
    public static final int NOT_FOUND = 127;
    /** Added to the number of the signal that ended it. */
    public static final int SIGNALLED = 128;
    /** Nobody reads the output any more: what a program gets that SIGPIPE ends. */
    public static final int CLOSED_PIPE = SIGNALLED + 13;

    private ExitCode() {}
}
