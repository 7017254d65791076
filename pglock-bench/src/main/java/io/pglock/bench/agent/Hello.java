// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.agent;

/** The smallest program there is, for {@link StartUp}. */
public final class Hello {

    static final String GREETING = "hello";

    private Hello() {}

    /** Greets, and stays until its input ends. */
    public static void main(String[] arguments) throws Exception {
        System.out.println(GREETING);
        System.in.read();
    }
}
