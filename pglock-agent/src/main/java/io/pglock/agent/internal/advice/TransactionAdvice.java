// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.advice;

import io.pglock.agent.bridge.PgLockBridge;
import java.lang.reflect.Method;
import net.bytebuddy.asm.Advice;
import org.jspecify.annotations.Nullable;

/**
 * Before Spring's transaction around a method: what is flushed and committed after its body belongs to it. {@link ExitAdvice}
 * comes after it.
 */
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
}
