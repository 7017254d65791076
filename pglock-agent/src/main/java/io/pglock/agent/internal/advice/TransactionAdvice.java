// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.advice;

import io.pglock.agent.bridge.PgLockBridge;
import java.lang.reflect.Method;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.implementation.bytecode.assign.Assigner;
import org.jspecify.annotations.Nullable;

/** Around Spring's transaction around a method: what is flushed and committed after its body belongs to it. */
public final class TransactionAdvice {

    private TransactionAdvice() {}

    @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class)
    static boolean enter(
            @Advice.Argument(0) Method method,
            @Advice.Argument(1) @Nullable Class<?> target,
            @Advice.Local("call") PgLockBridge.@Nullable Call call) {
        call = PgLockBridge.enterTransaction(method, target);
        return call != null && call.skipped;
    }

    @Advice.OnMethodExit(
            onThrowable = Throwable.class,
            repeatOn = Advice.OnNonDefaultValue.class,
            backupArguments = true)
    static boolean exit(
            @Advice.Local("call") PgLockBridge.@Nullable Call call,
            @Advice.Return(readOnly = false, typing = Assigner.Typing.DYNAMIC) @Nullable Object returned,
            @Advice.Thrown(readOnly = false) @Nullable Throwable thrown) {
        if (call == null) {
            return false;
        }
        if (PgLockBridge.exit(call, thrown)) {
            return true;
        }
        if (call.replaced) {
            thrown = call.thrown;
            if (thrown == null) {
                returned = call.value;
            }
        }
        return false;
    }
}
