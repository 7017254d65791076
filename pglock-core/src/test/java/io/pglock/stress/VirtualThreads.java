// SPDX-License-Identifier: Apache-2.0
package io.pglock.stress;

/** Virtual threads where the JDK has them, from 21 on. */
final class VirtualThreads {

    private VirtualThreads() {}

    static boolean exist() {
        return Runtime.version().feature() >= 21;
    }

    /** One that is not started yet. */
    static Thread orPlatform(Runnable work, String name) {
        if (!exist()) {
            return new Thread(work, name);
        }
        try {
            Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
            Class<?> type = Class.forName("java.lang.Thread$Builder");
            builder = type.getMethod("name", String.class).invoke(builder, name);
            return (Thread) type.getMethod("unstarted", Runnable.class).invoke(builder, work);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
