// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

/** The compiler writes a method {@code with(Object)} beside the one that stands here. */
public final class Generic implements java.util.function.Consumer<Generic> {

    @Override
    public void accept(Generic other) {}
}
