// SPDX-License-Identifier: Apache-2.0
package db.callback;

import java.util.concurrent.atomic.AtomicInteger;
import org.flywaydb.core.api.callback.BaseCallback;
import org.flywaydb.core.api.callback.Context;
import org.flywaydb.core.api.callback.Event;

/** A user's callback in the package where Flyway looks by itself: when it finds any there, it forgets those given as objects. */
public final class UsersOwnCallback extends BaseCallback {

    public static final AtomicInteger MIGRATIONS = new AtomicInteger();

    @Override
    public boolean supports(Event event, Context context) {
        return event == Event.BEFORE_EACH_MIGRATE;
    }

    @Override
    public void handle(Event event, Context context) {
        MIGRATIONS.incrementAndGet();
    }
}
