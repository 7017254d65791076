// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

/** A migration that does not get through on its own, and does with pglock. Run it with {@code mvn -q -Pdemo}. */
public final class Demo {
    private Demo() {}

    /**
     * Exit code 0 when everything happened as told.
     *
     * @param args none
     */
    public static void main(String[] args) {
        System.out.println("pglock: the demo starts here");
    }
}
