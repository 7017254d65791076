// SPDX-License-Identifier: Apache-2.0
package org.springframework.scheduling.annotation;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

/** Has the name of Spring's. */
@Retention(RetentionPolicy.RUNTIME)
public @interface Async {}
