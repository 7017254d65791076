// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.advice;

import io.pglock.agent.bridge.PgLockBridge;
import net.bytebuddy.asm.Advice;
import org.jspecify.annotations.Nullable;

/** Around the driver's {@code PgConnection.getQueryExecutor}, which every statement calls first. */
public final class OwnerAdvice {

    private OwnerAdvice() {}

    @Advice.OnMethodExit
    static void exit(@Advice.This Object connection, @Advice.Return @Nullable Object executor) {
        if (PgLockBridge.armed != 0) {
            PgLockBridge.owns(connection, executor);
        }
    }
}
