// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.advice;

import io.pglock.agent.bridge.PgLockBridge;
import net.bytebuddy.asm.Advice;
import org.jspecify.annotations.Nullable;

/** Before a method that is named or annotated; {@link ExitAdvice} comes after it. */
public final class MethodAdvice {

    private MethodAdvice() {}

    @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class)
    static boolean enter(@SiteId int site, @Advice.Local("call") PgLockBridge.@Nullable Call call) {
        call = PgLockBridge.enter(site);
        return call != null && call.skipped;
    }
}
