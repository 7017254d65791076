// SPDX-License-Identifier: Apache-2.0
/** What holds of all modules together, read from what the compiler made of them. */
package io.pglock.architecture;
