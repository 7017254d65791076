// SPDX-License-Identifier: Apache-2.0
/** What is written into woven methods: never called, only copied. Not API. */
@org.jspecify.annotations.NullMarked
package io.pglock.agent.internal.advice;
