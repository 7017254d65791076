// SPDX-License-Identifier: Apache-2.0
/** A program as it might have been written before pglock, for the agent. */
package io.pglock.examples.upgrade;
