// SPDX-License-Identifier: Apache-2.0
/** A Spring Boot application as it might have been written before pglock, for the agent. */
package io.pglock.examples.nightly;
