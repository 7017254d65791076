// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import java.lang.StackWalker.Option;
import java.util.Set;
import javax.sql.DataSource;

/** Whether a pool is at work on this thread, to hand out a connection: what it sends then is its own. Stateless. */
final class Lending {

    /** Of Tomcat's pool the class that implements the interface only inherits the method. */
    private static final Set<String> OTHERS = Set.of("org.apache.tomcat.jdbc.pool.DataSourceProxy");

    private static final StackWalker STACK = StackWalker.getInstance(Option.RETAIN_CLASS_REFERENCE);

    private Lending() {}

    static boolean isGoingOn() {
        return STACK.walk(frames -> frames.anyMatch(
                frame -> frame.getMethodName().equals("getConnection") && lends(frame.getDeclaringClass())));
    }

    private static boolean lends(Class<?> type) {
        return DataSource.class.isAssignableFrom(type) || OTHERS.contains(type.getName());
    }
}
