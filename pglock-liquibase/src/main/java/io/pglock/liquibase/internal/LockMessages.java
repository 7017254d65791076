// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import liquibase.Scope;
import liquibase.ui.ConsoleUIService;

/** What is said about the changelog lock. The command line shows little of Liquibase's log unless it is asked to. Stateless. */
final class LockMessages {

    private LockMessages() {}

    /** On the console, wherever Liquibase runs: there it says itself that it waits. */
    static void console(String message) {
        new ConsoleUIService().sendMessage(message);
        Scope.getCurrentScope().getLog(LockMessages.class).info(message);
    }

    /** In the log, and on the console where Liquibase has one. */
    static void warning(String message) {
        Scope.getCurrentScope().getLog(LockMessages.class).warning(message);
        if (Scope.getCurrentScope().getUI() instanceof ConsoleUIService console) {
            console.sendMessage("WARNING: " + message);
        }
    }
}
