// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.run;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.function.Consumer;

/**
 * A signal that this process was sent. Java has no API for them but {@code sun.misc.Signal}, which javac warns about whenever it is
 * named; so it is named at run time only.
 *
 * @param name {@code TERM}
 * @param number 15
 */
record ProcessSignal(String name, int number) {

    static final String INTERRUPT = "INT";

    /** Of these the first ones end a process that does not mind them. SIGQUIT is the JVM's own: it prints its threads. */
    private static final List<String> HEARD = List.of("TERM", INTERRUPT, "HUP", "USR1", "USR2");

    /** Has that told of every signal from now on, each on a thread of its own, instead of ending the JVM. */
    static void tell(Consumer<ProcessSignal> listener) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Method handle = signal.getMethod("handle", signal, handler);
            Method number = signal.getMethod("getNumber");
            for (String name : HEARD) {
                Object one = signal.getConstructor(String.class).newInstance(name);
                ProcessSignal told = new ProcessSignal(name, (int) number.invoke(one));
                InvocationHandler invoked = (proxy, method, arguments) -> {
                    if (method.getName().equals("handle")) {
                        listener.accept(told);
                    }
                    return null;
                };
                handle.invoke(
                        null, one, Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[] {handler}, invoked));
            }
        } catch (ReflectiveOperationException e) {
            // a JVM that has none or keeps them: they end it, and its shutdown hook ends the command
            return;
        }
    }
}
