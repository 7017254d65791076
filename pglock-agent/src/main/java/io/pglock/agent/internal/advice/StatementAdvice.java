// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.advice;

import io.pglock.agent.bridge.PgLockBridge;
import net.bytebuddy.asm.Advice;
import org.jspecify.annotations.Nullable;

/** Around what the driver sends: its query executor's {@code execute}, for one query or for several. */
public final class StatementAdvice {

    private StatementAdvice() {}

    @Advice.OnMethodEnter
    static void enter(
            @Advice.This Object executor,
            @Advice.Argument(0) @Nullable Object what,
            @Flags int flags,
            @Advice.Local("statement") @Nullable Object statement)
            throws Throwable {
        if (PgLockBridge.armed != 0) {
            statement = PgLockBridge.before(executor, what, flags);
        }
    }

    @Advice.OnMethodExit(onThrowable = Throwable.class)
    static void exit(@Advice.Local("statement") @Nullable Object statement, @Advice.Thrown @Nullable Throwable thrown) {
        if (statement != null) {
            PgLockBridge.after(statement, null, thrown);
        }
    }
}
