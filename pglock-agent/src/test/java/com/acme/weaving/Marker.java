// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

/** Another library's annotation, which a method may carry several times, as Spring's {@code @Scheduled}. */
@Retention(RetentionPolicy.RUNTIME)
@Repeatable(Marker.Several.class)
@interface Marker {

    /** What the compiler makes of them. */
    @Retention(RetentionPolicy.RUNTIME)
    @interface Several {
        Marker[] value();
    }
}
