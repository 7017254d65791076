// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.advice;

import io.pglock.agent.bridge.PgLockBridge;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.implementation.bytecode.assign.Assigner;
import org.jspecify.annotations.Nullable;

/** Around the driver's two ways past statements: {@code startCopy}, and {@code fastpathCall} for large objects. */
public final class CallAdvice {

    private CallAdvice() {}

    @Advice.OnMethodEnter
    static void enter(
            @Advice.This Object executor,
            @Advice.Argument(value = 0, typing = Assigner.Typing.DYNAMIC) @Nullable Object what,
            @SuppressBegin boolean suppressBegin,
            @Advice.Local("statement") @Nullable Object statement)
            throws Throwable {
        if (PgLockBridge.armed != 0) {
            statement = PgLockBridge.before(executor, what, suppressBegin ? 16 : 0);
        }
    }

    @Advice.OnMethodExit(onThrowable = Throwable.class)
    static void exit(
            @Advice.Local("statement") @Nullable Object statement,
            @Advice.Return(typing = Assigner.Typing.DYNAMIC) @Nullable Object result,
            @Advice.Thrown @Nullable Throwable thrown) {
        if (statement != null) {
            PgLockBridge.after(statement, result, thrown);
        }
    }
}
