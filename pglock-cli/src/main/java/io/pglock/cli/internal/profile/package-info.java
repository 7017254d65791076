// SPDX-License-Identifier: Apache-2.0
/** {@code pglock.toml}: options that one need not type. Not API. */
@NullMarked
package io.pglock.cli.internal.profile;

import org.jspecify.annotations.NullMarked;
