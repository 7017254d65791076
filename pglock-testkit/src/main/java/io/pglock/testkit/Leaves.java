// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says that a test leaves something behind on purpose, and why.
 *
 * {@snippet :
 * @Test
 * @Leaves(what = Leftover.SETTING, because = "the scope is never closed: that is the defect shown here")
 * void ...
 * }
 */
@Target({ElementType.METHOD, ElementType.TYPE})
@Retention(RetentionPolicy.RUNTIME)
@Documented
public @interface Leaves {
    /** What is not looked for after the test. It is cleaned up all the same. */
    Leftover[] what();

    /** The reason, for whoever reads the test. */
    String because();
}
