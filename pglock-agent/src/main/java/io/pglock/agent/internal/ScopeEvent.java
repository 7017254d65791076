// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.time.Duration;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/**
 * A call of a guarded method, for Flight Recorder, as long as the call lasts. Where nothing is recorded it is one object for
 * all calls. Not API: public, because Flight Recorder asks for that.
 */
@Name("io.pglock.agent.Scope")
@Label("Guarded Method")
@Category({"pglock"})
@Description("A call of a method that the agent guards, locks and waits included")
@StackTrace(false)
public final class ScopeEvent extends Event {

    private static final ScopeEvent OFF = new ScopeEvent();

    @Label("Method")
    @Nullable String method;

    @Label("What")
    @Description("What the method gets, in the words of the configuration")
    @Nullable String what;

    @Label("Backend")
    @Description("The process id of the first connection that it used; 0 where it used none")
    int pid;

    @Label("Outcome")
    @Description("returned, threw, skipped or raised")
    @Nullable String outcome;

    @Label("Waited")
    @Description("For locks of its own")
    @Timespan(Timespan.NANOSECONDS)
    long waited;

    private ScopeEvent() {}

    /** A call begins. */
    static ScopeEvent beginning() {
        if (!OFF.isEnabled()) {
            return OFF;
        }
        ScopeEvent event = new ScopeEvent();
        event.begin();
        return event;
    }

    /** The call has ended. */
    void ended(String itsMethod, Spec spec, int itsPid, String itsOutcome, Duration itsWait) {
        if (this != OFF && shouldCommit()) {
            method = itsMethod;
            what = spec.described();
            pid = itsPid;
            outcome = itsOutcome;
            waited = itsWait.toNanos();
            commit();
        }
    }
}
