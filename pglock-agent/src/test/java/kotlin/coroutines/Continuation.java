// SPDX-License-Identifier: Apache-2.0
package kotlin.coroutines;

/** Has Kotlin's name: the last parameter of every suspend function. */
public interface Continuation<T> {}
