// SPDX-License-Identifier: Apache-2.0
package io.pglock.architecture.internal;

import io.pglock.architecture.Shown;

/** What an API must not show. */
public final class Hidden extends Shown {}
