// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.advice;

import io.pglock.agent.bridge.PgLockBridge;
import java.util.Properties;
import net.bytebuddy.asm.Advice;
import org.jspecify.annotations.Nullable;

/** Around the driver's {@code connect}. */
public final class ConnectAdvice {

    private ConnectAdvice() {}

    @Advice.OnMethodExit
    static void exit(
            @Advice.This Object driver,
            @Advice.Argument(0) @Nullable String url,
            @Advice.Argument(1) @Nullable Properties properties,
            @Advice.Return @Nullable Object connection)
            throws Throwable {
        if (connection != null) {
            PgLockBridge.connected(driver, url, properties, connection);
        }
    }
}
