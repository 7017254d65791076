// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.lang.instrument.Instrumentation;
import java.lang.instrument.UnmodifiableClassException;
import java.util.ArrayList;
import java.util.List;

/** Classes that were there before the agent: woven all at once, which takes a tenth of a second where one by one takes many. */
final class LoadedClasses {

    private final Instrumentation instrumentation;
    private final Weaver weaver;
    private final Trouble trouble;

    LoadedClasses(Instrumentation instrumentation, Weaver weaver, Trouble trouble) {
        this.instrumentation = instrumentation;
        this.weaver = weaver;
        this.trouble = trouble;
    }

    /** @return whether there may be connections of the application's, too */
    boolean weave() {
        boolean connected = false;
        List<Class<?>> concerned = new ArrayList<>();
        for (Class<?> loaded : instrumentation.getAllLoadedClasses()) {
            if (!loaded.isArray()
                    && !loaded.isPrimitive()
                    && !loaded.isHidden()
                    && instrumentation.isModifiableClass(loaded)
                    && weaver.concerns(loaded)) {
                concerned.add(loaded);
                connected |= loaded.getName().equals("org.postgresql.jdbc.PgConnection");
            }
        }
        if (concerned.isEmpty()) {
            return false;
        }
        try {
            instrumentation.retransformClasses(concerned.toArray(new Class<?>[0]));
        } catch (UnmodifiableClassException | LinkageError | InternalError together) {
            for (Class<?> one : concerned) {
                try {
                    instrumentation.retransformClasses(one);
                } catch (UnmodifiableClassException | LinkageError | InternalError e) {
                    trouble.unwoven(one.getName() + " was loaded before the agent, and cannot be changed any more", e);
                }
            }
        }
        return connected;
    }
}
