// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.advice;

import io.pglock.agent.bridge.PgLockBridge;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.implementation.bytecode.assign.Assigner;
import org.jspecify.annotations.Nullable;

/** After a method, or Spring's transaction around one: it may run once more, or end otherwise than its body did. */
public final class ExitAdvice {

    private ExitAdvice() {}

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
