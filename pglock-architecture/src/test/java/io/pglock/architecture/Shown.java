// SPDX-License-Identifier: Apache-2.0
package io.pglock.architecture;

import io.pglock.architecture.internal.Hidden;

/** Breaks two rules: it is public and shows what is internal, which in turn needs it. */
public class Shown {

    /** What nobody should see. */
    protected Hidden hidden = new Hidden();
}
