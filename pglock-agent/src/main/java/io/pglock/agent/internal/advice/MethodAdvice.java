// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.advice;

import io.pglock.agent.bridge.PgLockBridge;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.implementation.bytecode.assign.Assigner;
import org.jspecify.annotations.Nullable;

/** Around a method that is named or annotated. */
public final class MethodAdvice {

    private MethodAdvice() {}

    @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class)
    static boolean enter(
            @SiteId int site,
            @Advice.This(optional = true) @Nullable Object self,
            @Advice.Local("call") PgLockBridge.@Nullable Call call) {
        call = PgLockBridge.enter(site, self);
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
