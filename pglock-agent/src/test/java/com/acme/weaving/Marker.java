// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

/** Another library's annotation. */
@Retention(RetentionPolicy.RUNTIME)
@interface Marker {}
